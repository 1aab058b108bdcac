// SPDX-License-Identifier: AGPL-3.0-or-later
// `metadata/current`: several files in one (docs/format/edition-v1.md, section 3). It proves
// nothing: each part is treated as if it had been fetched under its own name.

import { text, type Bytes } from "./bytes";
import { fail } from "./errors";

export const CURRENT = "metadata/current";
export const CURRENT_LIMIT = 64_000;
const PARTS = 16;

/** The parts by their names; throws `format`. */
export function readCurrent(bytes: Bytes): Map<string, Bytes> {
  const parts = new Map<string, Bytes>();
  const end = headerEnd(bytes);
  const [first, ...lines] = text(bytes.subarray(0, end), CURRENT).split("\n");
  if (first !== "TZM1" || lines.length > PARTS) fail("format", CURRENT);
  let at = end + 2;
  for (const line of lines) {
    const [, name, length] = /^([!-~]{1,200}) (0|[1-9]\d{0,5})$/.exec(line) ?? fail("format", CURRENT);
    if (parts.has(name!)) fail("format", CURRENT);
    parts.set(name!, bytes.slice(at, (at += Number(length))));
  }
  return at === bytes.length ? parts : fail("format", CURRENT);
}

/** Where the empty line begins. */
function headerEnd(bytes: Bytes): number {
  for (let at = 0; (at = bytes.indexOf(10, at) + 1); ) if (bytes[at] === 10) return at - 1;
  return fail("format", CURRENT);
}
