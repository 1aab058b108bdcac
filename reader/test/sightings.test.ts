// SPDX-License-Identifier: AGPL-3.0-or-later

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Bytes } from "../src/bytes";
import { Edition } from "../src/edition";
import { is } from "../src/errors";
import { Sightings } from "../src/sightings";
import { MemoryState } from "../src/state-memory";
import { blob, folder, vectors } from "./vectors";

const now = (): number => Date.parse(vectors.now);

async function sitting(disk: MemoryState | undefined): Promise<[Edition, Sightings]> {
  const sightings = new Sightings(disk);
  const edition = await Edition.open(blob(vectors.root), sightings, { now });
  await sightings.recall(edition);
  return [edition, sightings];
}

test("the next sitting begins where the last one was, across a change of keys", async () => {
  const disk = new MemoryState();
  const [first, noting] = await sitting(disk);
  assert.equal(noting.noted, undefined);
  await first.update(folder("third"));
  assert.equal(noting.noted, true);
  const [next] = await sitting(disk);
  assert.deepEqual(next.age, first.age);
  await assert.rejects(next.update(folder("second")), (error) => is(error));
  assert.deepEqual(next.age, first.age);
});

test("where nothing is noted the next sitting begins anew", async () => {
  const [first, noting] = await sitting(undefined);
  await first.update(folder("third"));
  assert.equal(noting.noted, undefined);
  assert.equal((await sitting(undefined))[0].age, undefined);
});

test("a disk that keeps nothing is noticed, and costs nothing else", async () => {
  const full = new MemoryState();
  full.save = async () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  full.load = async () => {
    throw new DOMException("no", "SecurityError");
  };
  const [first, noting] = await sitting(full);
  await first.update(folder("second"));
  assert.equal(noting.noted, false);
});

test("what others wrote into the memory is not believed", async () => {
  const disk = new MemoryState();
  const [first] = await sitting(disk);
  await first.update(folder("second"));
  const whole = await disk.load();
  for (const name of whole.keys()) {
    const changed: Bytes = whole.get(name)!.slice();
    changed[changed.length >> 1]! ^= 1;
    const [next] = await sitting(new MemoryState(new Map([...whole, [name, changed]])));
    await next.update(folder("second"));
    assert.deepEqual(next.age, first.age, name);
  }
});
