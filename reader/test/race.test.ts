// SPDX-License-Identifier: AGPL-3.0-or-later
// Whom to ask, and what happens when they fail, stand still or lie: with a clock of the tests.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { sha256, utf8, hex, type Bytes } from "../src/bytes";
import { fail, is, VerifyError } from "../src/errors";
import { Hosts, LOAD, STALL } from "../src/mirrors";
import { race, telling } from "../src/race";

const PAGE = utf8("<p>The bridge is closed.</p>");
const NAME = `objects/00/${"0".repeat(64)}`;
const NORTH = "https://north.example/";
const SOUTH = "https://south.example/";
const WEST = "https://west.example/";

/** What a host does when asked: answers, refuses, says nothing, stops in mid-body, or sends a byte
 * a second. */
type Way = "honest" | "refuses" | "silent" | "freezes" | "drags" | "lies" | "lacks";

class Net {
  asked: string[] = [];
  active = 0;
  most = 0;
  constructor(public ways: Record<string, Way>) {}

  fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const host = new URL(String(url)).origin + "/";
    this.asked.push(host);
    this.most = Math.max(this.most, ++this.active);
    const ended = new Promise<never>((_, reject) => {
      init?.signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    });
    ended.catch(() => undefined);
    try {
      return await this.answer(this.ways[host] ?? "refuses", ended);
    } finally {
      this.active--;
    }
  };

  private async answer(way: Way, ended: Promise<never>): Promise<Response> {
    if (way === "refuses") throw new TypeError("Failed to fetch");
    if (way === "silent") return ended;
    if (way === "lacks") return new Response("", { status: 404 });
    if (way === "lies") return new Response("<p>It was never closed.</p>");
    if (way === "honest") return new Response(PAGE.slice());
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(PAGE.slice(0, 5));
          if (way === "drags") {
            const more = setInterval(() => controller.enqueue(PAGE.slice(0, 1)), 1_000);
            ended.catch(() => clearInterval(more));
          }
          ended.catch((error: unknown) => controller.error(error));
        },
      }),
    );
  }
}

function scene(t: TestContext, ways: Record<string, Way>): { net: Net; hosts: Hosts; from: string[]; read: () => Promise<Bytes> } {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  const net = new Net(ways);
  const ranks = [0.1, 0.2, 0.3, 0.4];
  const hosts = new Hosts("", { random: () => ranks.shift() ?? 0.9, patience: { fetch: net.fetch as typeof fetch } });
  hosts.add([NORTH, SOUTH, WEST]);
  const from: string[] = [];
  const check = async (bytes: Bytes): Promise<Bytes> =>
    hex(await sha256(bytes)) === hex(await sha256(PAGE)) ? bytes : fail("altered", NAME);
  const read = (): Promise<Bytes> => hosts.source((host) => from.push(host.url)).get([NAME], 1_000, check);
  return { net, hosts, from, read };
}

const later = setTimeout; // The real one.

/** Lets everything happen that needs no time, also what other threads work out. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => later(resolve, 1));
}

/** Lets so much time pass. */
async function pass(t: TestContext, milliseconds: number, step = 100): Promise<void> {
  for (let gone = 0; gone < milliseconds; gone += step) {
    await settle();
    t.mock.timers.tick(step);
  }
  await settle();
}

/** What comes of it, and how long that took. */
async function timed<T>(t: TestContext, work: Promise<T>): Promise<[T, number]> {
  const began = Date.now();
  let done = false;
  const end = (): boolean => (done = true);
  work.then(end, end);
  for (let i = 0; i < 400 && !done; i++) await pass(t, 100);
  return [await work, Date.now() - began];
}

test("a mirror that refuses costs no time", async (t) => {
  const { read, from } = scene(t, { [NORTH]: "refuses", [SOUTH]: "refuses", [WEST]: "honest" });
  assert.deepEqual(await read(), PAGE);
  assert.deepEqual(from, [WEST]);
});

test("what lies, or lacks it, is passed over at once", async (t) => {
  const { read, from } = scene(t, { [NORTH]: "lies", [SOUTH]: "lacks", [WEST]: "honest" });
  assert.deepEqual(await read(), PAGE);
  assert.deepEqual(from, [WEST]);
});

for (const [way, said] of [["silent", "says nothing"], ["freezes", "stops in the middle"]] as const) {
  test(`a mirror that ${said} costs about a second, once`, async (t) => {
    const { read, from, net } = scene(t, { [NORTH]: way, [SOUTH]: "honest", [WEST]: "honest" });
    const [bytes, took] = await timed(t, read());
    assert.deepEqual(bytes, PAGE);
    assert.deepEqual(from, [SOUTH]);
    assert.ok(took >= 1_000 && took < STALL, `${took} ms`);
    net.asked = [];
    t.mock.timers.tick(5_000);
    assert.deepEqual(await read(), PAGE);
    assert.deepEqual(net.asked, [SOUTH], "the next time it is not asked first");
  });
}

test("two at most are asked at once; who makes no progress for three seconds is given up", async (t) => {
  const { read, from, net } = scene(t, { [NORTH]: "silent", [SOUTH]: "freezes", [WEST]: "honest" });
  const reading = read();
  await pass(t, STALL - 200);
  assert.deepEqual(net.asked, [NORTH, SOUTH]);
  const [bytes, more] = await timed(t, reading);
  assert.deepEqual(bytes, PAGE);
  assert.ok(more <= 2_000, `${more} ms`);
  assert.deepEqual(from, [WEST]);
  assert.ok(net.most <= 2);
});

test("a large file from a mirror that drags on comes from another one", async (t) => {
  const { hosts } = scene(t, { [NORTH]: "drags", [SOUTH]: "lies", [WEST]: "honest" });
  const from: string[] = [];
  const check = async (bytes: Bytes): Promise<Bytes> => (bytes.length === PAGE.length ? bytes : fail("altered", NAME));
  const source = hosts.source((host) => from.push(host.url));
  const [bytes, took] = await timed(t, source.get([NAME], 300_000, check));
  assert.deepEqual(bytes, PAGE);
  assert.deepEqual(from, [WEST]);
  assert.ok(took <= 6_000, `${took} ms`);
});

test("what is asked meanwhile does not wait for those that another waits for", async (t) => {
  const { read, from, net } = scene(t, { [NORTH]: "silent", [SOUTH]: "silent", [WEST]: "honest" });
  const first = read();
  await pass(t, 2_400);
  net.asked = [];
  const [, took] = await timed(t, read());
  assert.deepEqual(net.asked.slice(0, 1), [WEST]);
  assert.ok(took < 500, `${took} ms`);
  await timed(t, first);
  assert.deepEqual(from, [WEST, WEST]);
});

test("when all fail, the most telling of it is said", async (t) => {
  const { read } = scene(t, { [NORTH]: "lacks", [SOUTH]: "lies", [WEST]: "refuses" });
  await assert.rejects(read, (error) => is(error, "altered"));
});

test("when all are silent it ends", async (t) => {
  const { read } = scene(t, { [NORTH]: "silent", [SOUTH]: "silent", [WEST]: "silent" });
  const [said, took] = await timed(t, read().then(() => "read", (error: VerifyError) => error.code));
  assert.equal(said, "network");
  assert.ok(took <= 3 * STALL + 1_500, `${took} ms`);
});

test("trouble is forgiven with time, and on another network", async (t) => {
  const { read, net, hosts } = scene(t, { [NORTH]: "refuses", [SOUTH]: "honest", [WEST]: "honest" });
  await read();
  assert.equal(hosts.order()[0]!.url, SOUTH);
  t.mock.timers.tick(3_600_000);
  assert.equal(hosts.order()[0]!.url, NORTH);
  await read();
  hosts.forgive();
  net.ways[NORTH] = "honest";
  assert.equal(hosts.order()[0]!.url, NORTH);
});

test("what worked is remembered over visits, and strange memories do no harm", (t) => {
  const { hosts } = scene(t, {});
  hosts.failed(hosts.all()[0]!, new VerifyError("network", "x"));
  const known = JSON.parse(JSON.stringify(hosts.remember()));
  const later = new Hosts("");
  later.add([NORTH, SOUTH]);
  later.recall(known);
  assert.equal(later.order()[0]!.url, SOUTH);
  later.recall({ [NORTH]: { trouble: "many" as unknown as number, counted: NaN, worked: 0 } });
  assert.equal(later.order().length, 2);
});

test("no host is asked for more than its load while another is free", (t) => {
  const { hosts } = scene(t, {});
  const asked = new Map<string, number>();
  for (const bytes of [3_000, 2_000, 7_000, 9_000, 9_000]) {
    const host = hosts.order(bytes)[0]!;
    hosts.worked(host, bytes);
    asked.set(host.url, (asked.get(host.url) ?? 0) + bytes);
  }
  assert.ok([...asked.values()].every((bytes) => bytes <= LOAD), JSON.stringify([...asked]));
  t.mock.timers.tick(61_000);
  assert.equal(hosts.order(9_000)[0]!.url, NORTH);
});

test("the address that was opened is asked first, as it knows of its reader anyway", () => {
  const hosts = new Hosts(WEST, { random: () => 0 });
  hosts.add([NORTH, WEST, SOUTH]);
  assert.equal(hosts.order()[0]!.url, WEST);
  hosts.add([WEST, NORTH]);
  assert.equal(hosts.all().length, 3);
});

test("a caller that stops is not answered, and nobody is blamed", async (t) => {
  const { hosts, net } = scene(t, { [NORTH]: "silent", [SOUTH]: "silent" });
  const controller = new AbortController();
  const reading = hosts.source().get([NAME], 10, async (bytes) => bytes, controller.signal);
  await pass(t, 100);
  controller.abort();
  await assert.rejects(reading, (error) => is(error, "network"));
  await pass(t, 100);
  assert.equal(net.active, 0);
  assert.equal(hosts.all().every((host) => !host.trouble), true);
});

test("a race without runners, or stopped before it began, ends", async () => {
  await assert.rejects(race([], async () => 1, 10), (error) => is(error, "network"));
  const stopped = AbortSignal.abort();
  await assert.rejects(race([1], async () => 1, 10, stopped), (error) => is(error, "network"));
});

test("of two errors the one that says more of a lie is told", () => {
  const [network, altered, missing] = (["network", "altered", "missing"] as const).map((code) => new VerifyError(code, ""));
  assert.equal(telling(network, altered), altered);
  assert.equal(telling(altered, network), altered);
  assert.equal(telling(undefined, missing), missing);
  assert.equal(telling(missing, network), network);
});
