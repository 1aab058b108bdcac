// SPDX-License-Identifier: AGPL-3.0-or-later

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { base64, hex, sha256, unbase64, type Bytes } from "../src/bytes";
import { readCurrent } from "../src/current";
import { Edition, isOf, pathOf } from "../src/edition";
import { fail, is } from "../src/errors";
import { single, type Fetch } from "../src/fetching";
import { readRecord, readShard } from "../src/shards";
import { readMirrors, readSite } from "../src/site";
import type { Files, State } from "../src/state";
import { MemoryState } from "../src/state-memory";
import { blob, folder, vectors } from "./vectors";

const now = (): number => Date.parse(vectors.now);
const dead: Fetch = async (name) => fail("network", name);
const PATH = "/2026/pier-9/";

function open(state: State = new MemoryState(), options = {}): Promise<Edition> {
  return Edition.open(blob(vectors.root), state, { now, ...options });
}

/** Counts what is asked for. */
function counted(fetch: Fetch): { fetch: Fetch; names: string[] } {
  const names: string[] = [];
  return { names, fetch: (name, limit, signal) => (names.push(name), fetch(name, limit, signal)) };
}

test("before anything was verified nothing is known", async () => {
  const edition = await open();
  assert.equal(edition.age, undefined);
  await assert.rejects(edition.read(PATH, single(folder("second"))), (error) => is(error, "missing"));
});

test("a cold article takes metadata in one round of requests, shards in one, and itself", async () => {
  const { fetch, names } = counted(folder("second"));
  const edition = await open();
  await edition.update(fetch);
  assert.deepEqual(names, ["metadata/2.root.json", "metadata/current"]);
  names.length = 0;
  const page = await edition.read(PATH, single(fetch));
  assert.equal(page.status, 200);
  assert.ok(names.slice(0, -1).every((name) => name.startsWith("shards/")));
  assert.match(names.at(-1)!, /^objects\/.*\.br$/);
});

test("on the next visit, without any mirror, what was verified is known, with its date", async () => {
  const state = new MemoryState();
  const first = await open(state);
  assert.deepEqual(await first.update(folder("second")), { changed: true, kept: true });
  const later = await open(state, { now: () => now() + 400 * 86_400_000 });
  assert.deepEqual(later.age, { ...first.age, stale: true });
  await assert.rejects(later.update(dead), (error) => is(error, "network"));
  assert.equal((await later.read(PATH, single(folder("second")))).stale, true);
});

test("the same again changes nothing and writes nothing", async () => {
  let saves = 0;
  const state = new (class extends MemoryState {
    override async save(files: Files): Promise<void> {
      saves++;
      await super.save(files);
    }
  })();
  const edition = await open(state);
  await edition.update(folder("second"));
  assert.deepEqual(await edition.update(folder("second")), { changed: false, kept: true });
  assert.equal(saves, 1);
});

test("what cannot be remembered still holds, and is said", async () => {
  const full: State = { load: async () => new Map(), save: () => Promise.reject(new Error("full")) };
  const edition = await open(full);
  assert.deepEqual(await edition.update(folder("second")), { changed: true, kept: false });
  assert.equal((await edition.read(PATH, single(folder("second")))).status, 200);
  await assert.rejects(edition.update(folder("first")), (error) => is(error, "rollback"));
});

test("updates from several mirrors at once end at the newest, whoever comes last", async () => {
  for (let i = 0; i < 12; i++) {
    const state = new MemoryState();
    const edition = await open(state);
    const slow = (fetch: Fetch, delay: number): Fetch => async (name, limit) => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      return fetch(name, limit);
    };
    const all = ["first", "second", "third"].map((name, j) => edition.update(slow(folder(name), (i * (j + 3)) % 7)));
    await Promise.allSettled(all);
    assert.equal(edition.age!.edition, 6);
    assert.equal((await open(state)).age!.edition, 6);
  }
});

test("a mirror that fails leaves the paper at hand readable", async () => {
  const edition = await open();
  await edition.update(folder("second"));
  const before = edition.age;
  for (const bad of [folder("first"), folder("other"), dead]) {
    await assert.rejects(edition.update(bad), (error) => is(error));
    assert.deepEqual(edition.age, before);
  }
});

test("what the newsroom says of itself and of its mirrors is proven as well", async () => {
  const edition = await open();
  await edition.update(folder("second"));
  const site = await edition.site(single(folder("second")));
  assert.ok(site.name && site.languages.length);
  assert.ok(Array.isArray(await edition.mirrors(single(folder("second")))));
  const lying: Fetch = async () => new TextEncoder().encode('{"format":1,"mirrors":[]}');
  await assert.rejects(edition.mirrors(single(lying)), (error) => is(error, "altered"));
});

test("a tombstone, a page that leads elsewhere and what is gone have their status", async () => {
  const edition = await open();
  await edition.update(folder("second"));
  const seen = new Set<number>();
  for (const { path, status } of vectors.lookups) {
    const page = await edition.read(path, single(folder("second")));
    assert.equal(page.status, status);
    assert.equal(page.bytes.length, page.length);
    seen.add(page.status);
  }
  assert.deepEqual([...seen].sort(), [200, 301, 404, 410]);
});

test("bytes that came another way are held against what was found", async () => {
  const edition = await open();
  await edition.update(folder("second"));
  const page = await edition.read(PATH, single(folder("second")));
  assert.equal(await isOf(page, page.bytes), true);
  assert.equal(await isOf(page, page.bytes.slice(1)), false);
  const nothing = await edition.find("/nothing/", single(folder("second")));
  assert.equal(await isOf(nothing, new Uint8Array(0)), false);
});

test("files that are larger than may be held in memory are not fetched", async () => {
  const edition = await open(new MemoryState(), { largest: 10 });
  await edition.update(folder("second"));
  await assert.rejects(edition.read(PATH, single(folder("second"))), (error) => is(error, "tooLong"));
});

test("an address's path is decoded once, and composed", () => {
  assert.equal(pathOf(new URL("https://a.example/%D0%BC%D0%BE%D1%81%D1%82/?x#y")), "/мост/");
  assert.equal(pathOf(new URL("https://a.example/e%CC%81/")), "/é/");
  assert.equal(pathOf(new URL("https://a.example/%252F/")), "/%2F/");
  assert.equal(pathOf(new URL("https://a.example/%ff/")), undefined);
});

/** One change somewhere: a bit, the length, another file's bytes. */
const change = fc.record({
  file: fc.nat(),
  kind: fc.constantFrom("bit", "cut", "grow", "swap", "gone", "random"),
  at: fc.nat(),
  random: fc.uint8Array({ maxLength: 80 }),
});

function changed(bytes: Bytes, kind: string, at: number, random: Uint8Array, other: Bytes): Bytes | undefined {
  if (kind === "gone") return undefined;
  if (kind === "swap") return other;
  if (kind === "random") return new Uint8Array(random);
  if (kind === "cut") return bytes.slice(0, at % (bytes.length + 1));
  if (kind === "grow") return Uint8Array.from([...bytes, ...random, 32]);
  const altered = bytes.slice();
  if (bytes.length) altered[at % bytes.length]! ^= 1 << (at % 8);
  return altered;
}

test("whatever a mirror changes, no false byte is read, and the next honest mirror serves", async () => {
  const path = vectors.lookups.find(({ status }) => status === 200)!;
  const names = Object.keys(vectors.folders["second"]!);
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      const honest = folder("second");
      const lies = new Map<string, Bytes | undefined>();
      const metadata = names.filter((name) => !name.startsWith("objects/"));
      for (const { file, kind, at, random } of changes) {
        const name = metadata[file % metadata.length]!;
        const other = await honest(metadata[at % metadata.length]!, 1e6);
        lies.set(name, changed(await honest(name, 1e6), kind, at, random, other));
      }
      const lying: Fetch = async (name, limit) => {
        if (!lies.has(name)) return honest(name, limit);
        const bytes = lies.get(name) ?? fail("missing", name);
        return bytes.length > limit ? fail("tooLong", name) : bytes;
      };
      const state = new MemoryState();
      const edition = await open(state);
      try {
        await edition.update(lying);
        const page = await edition.read(path.path, single(lying));
        assert.equal(page.sha256, path.sha256);
        assert.equal(hex(await sha256(page.bytes)), path.sha256);
      } catch (error) {
        if (!is(error)) throw error;
      }
      const again = await open(state);
      await again.update(honest);
      assert.equal((await again.read(path.path, single(honest))).sha256, path.sha256);
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 150) },
  );
});

test("a reader finds the mirrors of its own cohort and those for all", async () => {
  const bytes = blob(vectors.cohorts.mirrors);
  for (const { told, urls } of vectors.cohorts.readers) assert.deepEqual(await readMirrors(bytes, told), urls);
});

test("readers of bytes refuse any bytes with their own errors only", async () => {
  const second = vectors.folders["second"]!;
  const named = (part: string): Bytes => blob(second[Object.keys(second).find((name) => name.includes(part))!]!);
  const record = readRecord(named(".base"), "base");
  const readers: [string, Bytes, (bytes: Bytes) => unknown][] = [
    ["current", named("current"), readCurrent],
    ["record", named(".recent"), (bytes) => readRecord(bytes, "x")],
    ["shard", named("shards/"), (bytes) => readShard(bytes, record, 0)],
    ["site", named("site.json"), readSite],
    ["mirrors", named("mirrors.json"), (bytes) => readMirrors(bytes, "")],
    ["root", blob(vectors.root), (bytes) => Edition.open(bytes, new MemoryState())],
  ];
  for (const [, start, read] of readers) {
    await fc.assert(
      fc.asyncProperty(change, async ({ kind, at, random }) => {
        try {
          await read(changed(start, kind, at, random, blob(vectors.root)) ?? new Uint8Array(0));
        } catch (error) {
          if (!is(error)) throw error;
        }
      }),
      { numRuns: Number(process.env["FUZZ_RUNS"] ?? 150) },
    );
  }
});

test("hexadecimal and base64 go there and back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(unbase64(base64(bytes)), new Uint8Array(bytes));
    }),
  );
  assert.equal(unbase64("not base64!"), undefined);
});
