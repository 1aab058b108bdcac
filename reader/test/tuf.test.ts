// SPDX-License-Identifier: AGPL-3.0-or-later
// What the public conformance suite and the vectors do not ask. (docs/reader.md)

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";

import { hex, utf8, type Bytes } from "../src/bytes";
import { fail, is } from "../src/errors";
import { canonical, type Json } from "../src/json";
import { checkSigned, matches, readRoot, signers, SCHEMES } from "../src/metadata";
import { MemoryState } from "../src/state-memory";
import { Tuf, type FetchMetadata } from "../src/tuf";

interface Pair {
  id: string;
  key: Json;
  secret: KeyObject;
}

function pair(id: string): Pair {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const spelt = hex(publicKey.export({ type: "spki", format: "der" }).subarray(-32));
  return { id, key: { keytype: "ed25519", scheme: "ed25519", keyval: { public: spelt } }, secret: privateKey };
}

function signedBy(signed: Json, ...pairs: Pair[]): Bytes {
  const message = canonical(signed);
  const signatures = pairs.map(({ id, secret }) => ({ keyid: id, sig: hex(sign(null, message, secret)) }));
  return utf8(JSON.stringify({ signatures, signed }));
}

const [one, two] = [pair("one"), pair("two")];
const common = (_type: string, version: number, expires = "2099-01-01T00:00:00Z") => ({
  _type,
  spec_version: "1.0.31",
  version,
  expires,
});

function root(version: number, by: Pair[] = [one], more: Record<string, Json> = {}): Bytes {
  const role = { keyids: by.map(({ id }) => id), threshold: 1 };
  const keys = Object.fromEntries(by.map(({ id, key }) => [id, key]));
  const roles = { root: role, timestamp: role, snapshot: role, targets: role };
  return signedBy({ ...common("root", version), consistent_snapshot: true, keys, roles, ...more }, ...by);
}

function folder(timestamp: number, expires?: string): Record<string, Bytes> {
  const meta = (name: string) => ({ [name]: { version: 1 } });
  return {
    "timestamp.json": signedBy({ ...common("timestamp", timestamp, expires), meta: meta("snapshot.json") }, one),
    "1.snapshot.json": signedBy({ ...common("snapshot", 1), meta: meta("targets.json") }, one),
    "1.targets.json": signedBy({ ...common("targets", 1), targets: {} }, one),
  };
}

function from(files: Record<string, Bytes>): FetchMetadata {
  return async (name) => files[name] ?? fail("missing", name);
}

const error =
  (code: Parameters<typeof is>[1]) =>
  (thrown: unknown): boolean =>
    is(thrown, code!);

test("no more than 256 new roots are followed at once, and the rest the next time", async () => {
  const files = folder(1);
  for (let version = 2; version <= 300; version++) files[`${version}.root.json`] = root(version);
  const tuf = await Tuf.open(root(1), new MemoryState());
  const first = tuf.session(from(files));
  await first.refresh();
  assert.equal(first.root.version, 257);
  tuf.trusted = first;
  const second = tuf.session(from(files));
  await second.refresh();
  assert.equal(second.root.version, 300);
});

test("an expired timestamp of the version at hand is refused by who refuses age, and shown by who does not", async () => {
  const files = folder(3, "2026-01-02T00:00:00Z");
  for (const [stale, now, refused] of [
    ["refuse", "2026-01-01T00:00:00Z", false],
    ["refuse", "2026-01-02T00:00:00Z", true],
    ["accept", "2030-01-01T00:00:00Z", false],
  ] as const) {
    let clock = Date.parse("2026-01-01T00:00:00Z");
    const tuf = await Tuf.open(root(1), new MemoryState(), { stale, now: () => clock });
    const session = tuf.session(from(files));
    await session.refresh();
    tuf.trusted = session;
    clock = Date.parse(now);
    const again = tuf.session(from(files)).refresh();
    if (refused) await assert.rejects(again, error("stale"));
    else await again;
  }
});

test("an update that breaks off leaves what was believed as it was", async () => {
  const tuf = await Tuf.open(root(1), new MemoryState());
  const before = tuf.session(from(folder(2)));
  await before.refresh();
  tuf.trusted = before;
  const { "1.snapshot.json": _, ...files } = folder(3);
  const meta = { "snapshot.json": { version: 2 } };
  files["timestamp.json"] = signedBy({ ...common("timestamp", 3), meta }, one);
  await assert.rejects(tuf.session(from(files)).refresh(), error("missing"));
  assert.equal(tuf.trusted.timestamp!.version, 2);
});

test("a key that vouched for versions and is taken away takes them along; one that is added does not", async () => {
  const seen = await Tuf.open(root(1), new MemoryState());
  const session = seen.session(from(folder(9)));
  await session.refresh();
  const memory = new MemoryState(session.files);
  const added = { ...folder(3), "2.root.json": root(2, [one, two]) };
  await assert.rejects((await Tuf.open(root(1), memory)).session(from(added)).refresh(), error("rollback"));
  const role = (id: string) => ({ keyids: [id], threshold: 1 });
  const keys = { one: one.key, two: two.key };
  const roles = { root: role("one"), timestamp: role("two"), snapshot: role("one"), targets: role("one") };
  const next = signedBy({ ...common("root", 2), consistent_snapshot: true, keys, roles }, one);
  const meta = { "snapshot.json": { version: 1 } };
  const stamp = signedBy({ ...common("timestamp", 1), meta }, two);
  const taken = { ...folder(3), "2.root.json": next, "timestamp.json": stamp };
  const follower = (await Tuf.open(root(1), memory)).session(from(taken));
  await follower.refresh();
  assert.equal(follower.timestamp!.version, 1);
});

test("a root of which the reader's own copy is newer than its memory is used", async () => {
  const tuf = await Tuf.open(root(5), new MemoryState(new Map([["root", root(2)]])));
  assert.equal(tuf.trusted.root.version, 5);
  const other = await Tuf.open(root(2), new MemoryState(new Map([["root", root(5)]])));
  assert.equal(other.trusted.root.version, 5);
});

test("a memory that cannot be read is none", async () => {
  const broken = new MemoryState(new Map([["root", utf8("{")], ["timestamp", utf8("x")]]));
  assert.equal((await Tuf.open(root(2), broken)).trusted.root.version, 2);
  const failing = { load: () => Promise.reject(new Error("disk")), save: () => Promise.reject(new Error("disk")) };
  assert.equal((await Tuf.open(root(2), failing)).trusted.root.version, 2);
});

test("a root that does not sign itself is no beginning", async () => {
  const stranger = signedBy(JSON.parse(new TextDecoder().decode(root(1))).signed as Json, two);
  await assert.rejects(Tuf.open(stranger, new MemoryState()), error("signer"));
});

test("keys of ways that are not known do not count, and do no harm", async () => {
  const odd = { keytype: "future", scheme: "future", keyval: { public: { nested: true } } };
  const keys = { one: one.key, odd };
  const role = { keyids: ["odd", "one"], threshold: 2 };
  const roles = { root: role, timestamp: role, snapshot: role, targets: role };
  const signed = { ...common("root", 1), consistent_snapshot: true, keys, roles };
  const read = readRoot(signedBy(signed, one, { ...one, id: "odd" }), "root");
  await assert.rejects(checkSigned(read, signers(read, "root"), SCHEMES), error("signer"));
});

/** A repository whose `targets` delegates to these. */
function delegating(roles: Record<string, Json>[], files: Record<string, Bytes> = {}): Record<string, Bytes> {
  const meta: Record<string, Json> = { "targets.json": { version: 1 } };
  for (const { name } of roles) meta[`${String(name)}.json`] = { version: 1 };
  const delegations = { keys: { one: one.key }, roles };
  return {
    ...folder(1),
    ...files,
    "1.snapshot.json": signedBy({ ...common("snapshot", 1), meta }, one),
    "1.targets.json": signedBy({ ...common("targets", 1), targets: {}, delegations }, one),
  };
}

const delegation = (name: string, more: Record<string, Json>): Record<string, Json> => ({
  name,
  keyids: ["one"],
  threshold: 1,
  terminating: false,
  ...more,
});

async function find(files: Record<string, Bytes>, path: string): Promise<[number | undefined, string[]]> {
  const asked: string[] = [];
  const tuf = await Tuf.open(root(1), new MemoryState());
  const session = tuf.session(async (name, limit) => (asked.push(name), from(files)(name, limit)));
  await session.refresh();
  return [(await session.target(path))?.length, asked.slice(4)];
}

test("a role may speak for paths by how their hash begins", async () => {
  const here = signedBy({ ...common("targets", 1), targets: { "a/b": { length: 7, hashes: {} } } }, one);
  const hash = hex(createHash("sha256").update("a/b").digest());
  const bins = [delegation("no", { path_hash_prefixes: ["zz"] }), delegation("bin", { path_hash_prefixes: [hash.slice(0, 2)] })];
  assert.deepEqual(await find(delegating(bins, { "1.bin.json": here }), "a/b"), [7, ["1.bin.json"]]);
});

test("delegations that could be read in two ways are refused", async () => {
  for (const bad of [
    [delegation("a", {})],
    [delegation("a", { paths: ["*"], path_hash_prefixes: ["00"] })],
    [delegation("root", { paths: ["*"] })],
    [delegation("a", { paths: ["*"] }), delegation("a", { paths: ["b"] })],
    [delegation("a", { paths: ["*"], threshold: 0 })],
    [delegation("a", { paths: ["*"], keyids: ["one", "one"] })],
    [delegation("a", { paths: ["*"], terminating: 1 })],
  ]) {
    await assert.rejects(find(delegating(bad), "a"), error("format"));
  }
});

test("a search asks 32 roles at most", async () => {
  const names = Array.from({ length: 60 }, (_, i) => `r${i}`);
  const empty = signedBy({ ...common("targets", 1), targets: {} }, one);
  const files = Object.fromEntries(names.map((name) => [`1.${name}.json`, empty]));
  const roles = names.map((name) => delegation(name, { paths: ["*"] }));
  const [found, asked] = await find(delegating(roles, files), "a");
  assert.equal(found, undefined);
  assert.equal(asked.length, 31);
});

test("patterns mean what a shell means, and never take long", () => {
  const part = fc.constantFrom("a", "b", "/", "*", "?", "ab");
  const pieces = fc.array(part, { maxLength: 8 }).map((list) => list.join(""));
  const path = fc.array(fc.constantFrom("a", "b", "/"), { maxLength: 8 }).map((list) => list.join(""));
  fc.assert(
    fc.property(pieces, path, (pattern, name) => {
      const shell = pattern.replace(/\*/g, "[^/]*").replace(/\?/g, "[^/]");
      assert.equal(matches(pattern, name), new RegExp(`^${shell}$`).test(name));
    }),
    { numRuns: 3_000 },
  );
  const start = process.cpuUsage();
  matches("*a".repeat(2_000), "a".repeat(1_999) + "b".repeat(2_000));
  assert.ok(process.cpuUsage(start).user < 2_000_000);
});

/** Every place in a document, as a way to put something else there. */
function places(value: Json, put: (other: Json) => Json): ((other: Json) => Json)[] {
  const inside =
    typeof value === "object" && value
      ? Object.entries(value).flatMap(([name, item]) =>
          places(item, (other) =>
            put(Array.isArray(value) ? value.map((old, i) => (String(i) === name ? other : old)) : { ...value, [name]: other }),
          ),
        )
      : [];
  return [put, ...inside];
}

test("metadata that is signed and says odd things is read or refused, never stumbled over", async () => {
  const hash = { "a": "ff" };
  const files = delegating([delegation("a", { paths: ["*"] })], {
    "2.root.json": root(2),
    "1.a.json": signedBy({ ...common("targets", 1), targets: { t: { length: 1, hashes: hash } } }, one),
  });
  const names = Object.keys(files);
  const odd = fc.oneof(
    fc.constantFrom<Json>(null, true, -1, 0, 2 ** 53 - 1, "", "constructor", [], {}, [[]], { a: {} }, "x".repeat(2_000)),
    fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value, whole)) as Json),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), odd, async (file, place, other) => {
      const name = names[file % names.length]!;
      const { signed } = JSON.parse(new TextDecoder().decode(files[name])) as { signed: Json };
      const ways = places(signed, (value) => value);
      const altered = { ...files, [name]: signedBy(ways[place % ways.length]!(other), one) };
      try {
        await find(altered, "t");
      } catch (thrown) {
        if (!is(thrown)) throw thrown;
      }
    }),
    { numRuns: 4 * Number(process.env["FUZZ_RUNS"] ?? 150) },
  );
});

/** Numbers that canonical JSON has. */
function whole(_: string, value: unknown): unknown {
  return typeof value === "number" ? Math.trunc(value) % 2 ** 50 || 0 : value;
}
