// SPDX-License-Identifier: AGPL-3.0-or-later

import assert from "node:assert/strict";
import { test } from "node:test";

import { hex, sha256, unhex } from "../src/bytes";
import { Edition } from "../src/edition";
import { is } from "../src/errors";
import { single } from "../src/fetching";
import { keyOf, numberOf, readRecord, readShard, dayOf } from "../src/shards";
import { MemoryState } from "../src/state-memory";
import { blob, folder, vectors, type Step } from "./vectors";

test("paths have the keys that other readers give them", async () => {
  for (const { path, key } of vectors.keys) assert.equal(hex(await keyOf(path)), key, path);
});

test("records say what they say to other readers", () => {
  for (const said of vectors.records) {
    const { root, ...record } = readRecord(unhex(said.bytes)!, "record");
    const { depth, count, edition, built, since } = said;
    assert.deepEqual(record, { depth, count, edition, built, since });
    assert.equal(hex(root), said.root);
  }
});

test("every entry of every index is found in its shard, and nothing else is", async () => {
  for (const index of vectors.indexes) {
    const record = readRecord(unhex(index.record)!, "record");
    const shards = await Promise.all(index.shards.map((name, number) => readShard(blob(name), record, number)));
    for (const entry of index.entries) {
      const key = unhex(entry.key)!;
      const found = shards[numberOf(key, record.depth)]!.find(key)!;
      const { sha256, day, ...rest } = found;
      assert.equal(hex(sha256), entry.sha256);
      assert.equal(day, dayOf(1_577_836_800 + entry.day * 86_400));
      assert.deepEqual(rest, { length: entry.length, edition: entry.edition, status: entry.status, media: entry.media });
      key[9]! ^= 1;
      const near = hex(key);
      if (index.entries.every((other) => other.key !== near)) {
        assert.equal(shards[numberOf(key, record.depth)]!.find(key), undefined);
      }
    }
  }
});

test("paths are looked up as other readers look them up", async () => {
  const edition = await Edition.open(blob(vectors.root), new MemoryState(), { now: () => Date.parse(vectors.now) });
  await edition.update(folder("second"));
  for (const said of vectors.lookups) {
    const found = await edition.find(said.path, single(folder("second")));
    assert.equal(found.status, said.status, said.path);
    assert.equal(found.sha256.padEnd(64, "0"), said.sha256);
    assert.equal(found.length, said.length);
    assert.equal(found.mediaType, said.media);
  }
});

for (const { name, steps } of vectors.cases) {
  test(`case: ${name}`, async () => {
    const state = new MemoryState();
    for (const step of steps) await take(step, state);
  });
}

/** A step with the memory of those before, as on a new visit. */
async function take(step: Step, state: MemoryState): Promise<void> {
  const fetch = folder(step.folder, step.files, step.endless);
  const now = () => Date.parse(step.now ?? vectors.now);
  try {
    const edition = await Edition.open(blob(vectors.root), state, { now });
    await edition.update(fetch);
    const page = await edition.read(step.path, single(fetch));
    if (page.status === 404) assert.equal(step.error, "absent");
    else {
      assert.equal(step.error, "", `read ${step.path}, which must end in an error`);
      assert.equal(hex(await sha256(page.bytes)), step.expect!.sha256);
      assert.equal(page.stale, step.expect!.stale);
      assert.equal(page.changedAfterSealing, step.expect!.changed_after_sealing);
    }
  } catch (error) {
    if (!is(error)) throw error;
    assert.notEqual(step.error, "", `${step.path}: ${error.message}`);
  }
}
