// SPDX-License-Identifier: AGPL-3.0-or-later
// The vectors that drive every reader (tests/vectors/README.md), and a mirror that serves them.

import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";

import { unbase64, type Bytes } from "../src/bytes";
import { fail } from "../src/errors";
import type { Fetch } from "../src/fetching";

export interface Step {
  folder: string;
  files: Record<string, string | null>;
  endless?: string[];
  now?: string;
  path: string;
  error: string;
  expect?: { sha256: string; stale: boolean; changed_after_sealing: boolean };
}

interface Entry {
  key: string;
  sha256: string;
  length: number;
  edition: number;
  day: number;
  status: number;
  media: number;
}

interface Vectors {
  now: string;
  root: string;
  keys: { path: string; key: string }[];
  records: { bytes: string; depth: number; count: number; edition: number; built: number; since: number; root: string }[];
  indexes: { record: string; root: string; entries: Entry[]; shards: string[] }[];
  lookups: { path: string; status: number; sha256: string; length: number; edition: number; day: number; media: string }[];
  cohorts: { mirrors: string; readers: { told: string; urls: string[] }[] };
  folders: Record<string, Record<string, string>>;
  cases: { name: string; steps: Step[] }[];
  blobs: Record<string, string>;
}

export const vectors = JSON.parse(readFileSync("../tests/vectors/vectors.json", "utf8")) as Vectors;

export function blob(name: string): Bytes {
  return unbase64(vectors.blobs[name]!)!;
}

/** A folder as a browser sees it on a web server that says `Content-Encoding: br`. */
export function folder(name: string, files: Record<string, string | null> = {}, endless: string[] = []): Fetch {
  const all: Record<string, string | null> = { ...vectors.folders[name], ...files };
  return async (file, limit) => {
    if (endless.includes(file)) return fail("tooLong", file);
    const found = all[file];
    const bytes = found ? blob(found) : fail("missing", file);
    const decoded = file.endsWith(".br") ? decode(bytes, file) : bytes;
    return decoded.length > limit ? fail("tooLong", file) : decoded;
  };
}

/** As `mirror` says it where a browser cannot decode a body. */
function decode(bytes: Bytes, file: string): Bytes {
  try {
    return new Uint8Array(brotliDecompressSync(bytes));
  } catch {
    return fail("altered", file);
  }
}
