// SPDX-License-Identifier: AGPL-3.0-or-later
// `metadata/current`: several files in one (docs/format/edition-v1.md, section 3). It proves
// nothing: each part is treated as if it had been fetched under its own name.

import { hex, text, utf8, type Bytes } from "./bytes";
import { fail } from "./errors";

export const CURRENT = "metadata/current";
export const CURRENT_LIMIT = 64_000;
const PARTS = 16;

/** The parts by their names; throws `format`. */
export function readCurrent(bytes: Bytes): Map<string, Bytes> {
  const parts = new Map<string, Bytes>();
  const end = bytes.findIndex((byte, at) => byte === 10 && bytes[at + 1] === 10);
  const [first, ...lines] = text(bytes.subarray(0, end), CURRENT).split("\n");
  if (end < 0 || first !== "TZM2" || lines.length > PARTS) fail("format", CURRENT);
  let at = end + 2;
  for (const line of lines) {
    const [, name, length] = /^([!-~]{1,200}) (0|[1-9]\d{0,5})$/.exec(line) ?? fail("format", CURRENT);
    if (parts.has(name!)) fail("format", CURRENT);
    const part = bytes.slice(at, (at += Number(length)));
    parts.set(name!, name!.includes("/") ? part : unpacked(part));
  }
  return at === bytes.length ? parts : fail("format", CURRENT);
}

/** Metadata as it was signed: a byte from 128 on stands for that many less 128, which follow it, in
 * hexadecimal digits. What ends too early is no JSON any more. */
function unpacked(part: Bytes): Bytes {
  let written = "";
  for (let at = 0; at < part.length; ) {
    const byte = part[at++]!;
    written += byte < 128 ? String.fromCharCode(byte) : hex(part.subarray(at, (at += byte - 128)));
  }
  return utf8(written);
}
