// SPDX-License-Identifier: AGPL-3.0-or-later
// A bundle, read like one more mirror: a signed folder in a ZIP file, in an EPUB, or in base64
// within an HTML (docs/format/bundle.md).
//
// What always holds: nothing in it is believed; a damaged or hostile file ends in a `VerifyError`,
// and unpacking stops at the size that was asked for.
//
// What is not done here: ZIP64, encryption; a bundle has neither.

import { concat, hex, sha256, text, unbase64, type Bytes } from "./bytes";
import { fail, is } from "./errors";
import type { Fetch } from "./fetching";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;
const COMMENT = 65_535;
const ANCHOR = "metadata/timestamp.json";
const PROOF = '<script type="application/zip;base64" id="tamizdat">';
const PICTURE = /src="data:image\/[a-z]+;base64,([A-Za-z0-9+/=]+)"/g;
const BOOK = /^EPUB\/([0-9a-f]{64})\.[a-z]+$/; // a picture of a book is named by its hash

interface Member {
  method: number;
  packed: number;
  size: number;
  at: number;
}

/** What a bundle has, as a mirror has it. Throws `format` where it has no signed folder. */
export function bundle(bytes: Bytes): Fetch {
  return bytes[0] === 0x50 ? zip(bytes) : page(text(bytes, "bundle"));
}

function zip(bytes: Bytes): Fetch {
  const members = read(bytes);
  const anchor = [...members.keys()].find((name) => name === ANCHOR || name.endsWith(`/${ANCHOR}`)) ?? fail("format", "bundle");
  const folder = anchor.slice(0, -ANCHOR.length);
  for (const [name, member] of [...members]) {
    const sha256 = BOOK.exec(name)?.[1];
    if (sha256) members.set(`${folder}objects/${sha256.slice(0, 2)}/${sha256}`, member);
  }
  return async (name, limit) => {
    // The browser unpacks brotli for what comes over the web alone.
    const member = (name.endsWith(".br") ? undefined : members.get(folder + name)) ?? fail("missing", name);
    if (member.size > limit) fail("tooLong", name);
    return unpack(bytes, member, name, limit);
  };
}

/** The folder stands in the page; its pictures stand where they are shown. */
function page(html: string): Fetch {
  const [, rest] = html.split(PROOF, 2);
  const folder = zip(unbase64(rest?.split("</script>", 1)[0] ?? "") ?? fail("format", "bundle"));
  let shown: Promise<Map<string, Bytes>> | undefined;
  return async (name, limit, signal) => {
    const picture = name.startsWith("objects/") && (await (shown ??= pictures(html))).get(name.slice(11));
    if (!picture) return folder(name, limit, signal);
    return picture.length > limit ? fail("tooLong", name) : picture;
  };
}

async function pictures(html: string): Promise<Map<string, Bytes>> {
  const found = new Map<string, Bytes>();
  for (const [, data] of html.matchAll(PICTURE)) {
    const bytes = unbase64(data!);
    if (bytes) found.set(hex(await sha256(bytes)), bytes);
  }
  return found;
}

function read(bytes: Bytes): Map<string, Member> {
  try {
    return directory(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    if (is(error)) throw error;
    return fail("format", "bundle"); // An offset beyond the end.
  }
}

function directory(bytes: Bytes, view: DataView): Map<string, Member> {
  const members = new Map<string, Member>();
  const end = endOf(view);
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left; left--) {
    if (view.getUint32(at, true) !== CENTRAL) fail("format", "bundle");
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [number, number, number];
    members.set(text(bytes.subarray(at + 46, at + 46 + name), "bundle"), {
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      at: view.getUint32(at + 42, true),
    });
    at += 46 + name + extra + comment;
  }
  return members;
}

function endOf(view: DataView): number {
  const last = view.byteLength - END_SIZE;
  for (let at = last; at >= 0 && at >= last - COMMENT; at--) if (view.getUint32(at, true) === END) return at;
  return fail("format", "bundle");
}

async function unpack(bytes: Bytes, member: Member, name: string, limit: number): Promise<Bytes> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (member.at + 30 > bytes.length || view.getUint32(member.at, true) !== LOCAL) fail("format", name);
  const start = member.at + 30 + view.getUint16(member.at + 26, true) + view.getUint16(member.at + 28, true);
  const packed = bytes.slice(start, start + member.packed);
  if (member.method === 0) return packed.length <= limit ? packed : fail("tooLong", name);
  return member.method === 8 ? inflate(packed, name, limit) : fail("format", name);
}

async function inflate(packed: Bytes, name: string, limit: number): Promise<Bytes> {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const chunks: Uint8Array[] = [];
  try {
    for (let length = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return concat(chunks);
      if ((length += value.length) > limit) fail("tooLong", name);
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => undefined);
    if (is(error)) throw error;
    return fail("altered", name);
  }
}
