// SPDX-License-Identifier: AGPL-3.0-or-later
// Bundles, whole and damaged: what is wrong ends in a `VerifyError`, never in anything else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import fc from "fast-check";

import { concat, utf8, type Bytes } from "../src/bytes";
import { is } from "../src/errors";
import { bundle } from "../src/zip";

const runs = { numRuns: Number(process.env["FUZZ_RUNS"] ?? 300) };
const FILES: [string, string][] = [
  ["week/index.html", "<p>Open the reader.</p>"],
  ["week/metadata/timestamp.json", '{"signed":{}}'],
  ["week/objects/00/page", "<p>The bridge is closed.</p>".repeat(50)],
];

function zip(files: readonly [string, string][], method: 0 | 8): Bytes {
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const data = utf8(content);
    const packed = method ? new Uint8Array(deflateRawSync(data)) : data;
    const sizes = [[14, 0], [18, packed.length], [22, data.length]] as const;
    const local = head(30, 0x04034b50, [[8, method], [26, utf8(name).length]], sizes);
    const entry = head(46, 0x02014b50, [[10, method], [28, utf8(name).length]], [[20, packed.length], [24, data.length], [42, at]]);
    parts.push(local, utf8(name), packed);
    central.push(entry, utf8(name));
    at += 30 + utf8(name).length + packed.length;
  }
  const directory = concat(central);
  const end = head(22, 0x06054b50, [[8, files.length], [10, files.length]], [[12, directory.length], [16, at]]);
  return concat([...parts, directory, end]);
}

function head(size: number, mark: number, short: readonly (readonly [number, number])[], long: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, mark, true);
  for (const [at, value] of short) view.setUint16(at, value, true);
  for (const [at, value] of long) view.setUint32(at, value, true);
  return bytes;
}

for (const method of [0, 8] as const) {
  test(`a bundle packed by method ${method} is read like a mirror`, async () => {
    const fetch = bundle(zip(FILES, method));
    assert.deepEqual(await fetch("objects/00/page", 5_000), utf8(FILES[2]![1]));
    await assert.rejects(fetch("objects/00/page", 100), (error) => is(error, "tooLong"));
    await assert.rejects(fetch("objects/00/page.br", 5_000), (error) => is(error, "missing"));
    await assert.rejects(fetch("index.htm", 5_000), (error) => is(error, "missing"));
  });
}

test("a file that unpacks to more than it says is cut off", async () => {
  const bytes = zip([["metadata/timestamp.json", "x".repeat(100_000)]], 8);
  const view = new DataView(bytes.buffer);
  const central = view.getUint32(bytes.length - 6, true);
  view.setUint32(central + 24, 10, true);
  await assert.rejects(bundle(bytes)("metadata/timestamp.json", 1_000), (error) => is(error, "tooLong"));
});

test("what is no bundle is said to be none", () => {
  for (const bytes of [new Uint8Array(0), utf8("PK"), utf8("<p>No</p>".repeat(9)), zip([["index.html", ""]], 0)]) {
    assert.throws(() => bundle(bytes), (error) => is(error, "format"));
  }
});

test("damage anywhere ends in an error of ours, or in bytes no longer than allowed", async () => {
  const whole = [zip(FILES, 0), zip(FILES, 8)];
  const change = fc.tuple(fc.nat(4_000), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.nat(1), fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(4_000), async (which, changes, cut) => {
      const bytes = whole[which]!.slice(0, Math.max(0, whole[which]!.length - (cut % 7 ? 0 : cut)));
      for (const [at, value] of changes) if (bytes.length) bytes[at % bytes.length] = value;
      try {
        assert.ok((await bundle(bytes)("objects/00/page", 2_000)).length <= 2_000);
      } catch (error) {
        assert.ok(is(error), String(error));
      }
    }),
    runs,
  );
});

test("any bytes at all end so", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      assert.throws(() => bundle(concat([bytes, head(22, 0x06054b50, [[10, 3]], [[16, bytes.length]])])), (error) => is(error));
    }),
    runs,
  );
});
