// SPDX-License-Identifier: AGPL-3.0-or-later
// What a reader sends, as bytes before they are sealed (docs/format/submission-v1.md, 1 and 3).
//
// What always holds: its length is one of four; the same letter with the same id has the same
// bytes. What a field may hold is checked by who opens it.

import { base64, utf8, type Bytes } from "./bytes";

export type Fields = Record<string, string | string[]>;

export interface Letter {
  id: string;
  kind: string;
  language: string;
  fields: Fields;
}

const SIZES = [2_048, 16_384, 65_536, 262_144];

/** 16 random bytes: the desk acts once on each. */
export function newId(): string {
  const drawn = base64(crypto.getRandomValues(new Uint8Array(16)));
  return drawn.slice(0, 22).replaceAll("+", "-").replaceAll("/", "_");
}

/** Text as a letter may hold it: NFC, trimmed, without what cannot be seen but tab and line feed. */
export function plain(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/(?![\t\n])[\p{Cc}\p{Cs}]/gu, "")
    .normalize("NFC")
    .trim();
}

/** The padded bytes; undefined where it is longer than a letter may be. */
export function pack(letter: Letter): Bytes | undefined {
  const bytes = utf8(JSON.stringify({ v: 1, ...letter }));
  const size = SIZES.find((size) => bytes.length <= size);
  if (!size) return undefined;
  const padded = new Uint8Array(size).fill(10);
  padded.set(bytes);
  return padded;
}
