// SPDX-License-Identifier: AGPL-3.0-or-later
// Media types by their numbers (docs/format/edition-v1.md, section 9).

const OFFICE = "application/vnd.openxmlformats-officedocument.";
const UTF8 = "; charset=utf-8";

const TYPES = [
  "application/octet-stream",
  `text/html${UTF8}`,
  "application/xml",
  "application/rss+xml",
  "application/feed+json",
  "application/json",
  "application/manifest+json",
  `text/plain${UTF8}`,
  `text/css${UTF8}`,
  `text/javascript${UTF8}`,
  "image/svg+xml",
  "image/png",
  "image/jpeg",
  "image/webp",
  "image/avif",
  "image/gif",
  "image/x-icon",
  `text/csv${UTF8}`,
  `text/vtt${UTF8}`,
  "application/pdf",
  "audio/mpeg",
  "audio/mp4",
  "audio/ogg",
  "audio/opus",
  "audio/wav",
  "video/mp4",
  "video/webm",
  "application/zip",
  "application/msword",
  `${OFFICE}wordprocessingml.document`,
  `${OFFICE}spreadsheetml.sheet`,
  "application/vnd.oasis.opendocument.text",
];

export function mediaType(number: number): string {
  return TYPES[number] ?? TYPES[0]!;
}

/** Is there likely a smaller copy, compressed with brotli? */
export function isText(type: string): boolean {
  return /^text|[/+](xml|json)/.test(type);
}
