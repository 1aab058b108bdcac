// SPDX-License-Identifier: AGPL-3.0-or-later
// Networks that freeze every answer after 16 kB: a large file comes in slices then.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { hex, sha256, type Bytes } from "../src/bytes";
import { fail, is } from "../src/errors";
import { Hosts } from "../src/mirrors";
import { SLICE } from "../src/slices";

const WALL = 16_000;
const NAME = `objects/00/${"0".repeat(64)}`;
const PICTURE = Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7 + (i >> 8)) % 256);
const URLS = ["https://north.example/", "https://south.example/", "https://west.example/"];

interface Asked {
  url: string;
  range: string | undefined;
}

interface Way {
  wall: number;
  ranges: boolean;
  bytes: Uint8Array;
}

function scene(t: TestContext, ways: Partial<Way>[]) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const asked: Asked[] = [];
  const fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const base = `${new URL(String(url)).origin}/`;
    const way = { wall: WALL, ranges: true, bytes: PICTURE, ...ways[URLS.indexOf(base)] };
    const range = (init?.headers as { range?: string } | undefined)?.range;
    asked.push({ url: base, range });
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    const part = way.ranges && range ? way.bytes.slice(Number(from), Number(to) + 1) : way.bytes;
    return new Response(frozen(part, way.wall, init?.signal ?? undefined), { status: way.ranges && range ? 206 : 200 });
  };
  const ranks = [0.1, 0.2, 0.3];
  const hosts = new Hosts("", { random: () => ranks.shift()!, patience: { fetch: fetch as typeof globalThis.fetch } });
  hosts.add(URLS);
  for (const host of hosts.all()) hosts.worked(host, 0);
  const check = async (bytes: Bytes): Promise<Bytes> =>
    hex(await sha256(bytes)) === hex(await sha256(PICTURE)) ? bytes : fail("altered", NAME);
  return { asked, hosts, read: () => hosts.source().get([NAME], PICTURE.length, check) };
}

function frozen(bytes: Uint8Array, wall: number, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice(0, wall));
      if (bytes.length <= wall) return controller.close();
      signal?.addEventListener("abort", () => controller.error(new DOMException("", "AbortError")));
    },
  });
}

const later = setTimeout; // The real one.

async function until<T>(t: TestContext, work: Promise<T>): Promise<T> {
  let done = false;
  work.then(() => (done = true), () => (done = true));
  for (let i = 0; i < 600 && !done; i++) {
    for (let n = 0; n < 4; n++) await new Promise((resolve) => later(resolve, 1));
    if (!done) t.mock.timers.tick(100);
  }
  return work;
}

test("behind a wall a picture comes in slices from all mirrors, and the next one at once", async (t) => {
  const { asked, read } = scene(t, []);
  assert.deepEqual(await until(t, read()), PICTURE);
  const slices = asked.filter(({ range }) => range);
  assert.equal(slices.length, Math.ceil((PICTURE.length - WALL) / SLICE), "what came first is not asked for again");
  assert.ok(new Set(slices.map(({ url }) => url)).size >= 2);
  asked.length = 0;
  assert.deepEqual(await until(t, read()), PICTURE);
  assert.ok(asked.every(({ range }) => range), "the wall is remembered");
});

test("without a wall nothing is cut", async (t) => {
  const { asked, read } = scene(t, URLS.map(() => ({ wall: 1e9 })));
  assert.deepEqual(await until(t, read()), PICTURE);
  assert.deepEqual(asked.map(({ range }) => range), [undefined]);
});

test("one mirror that lies in its slices costs time, not truth", async (t) => {
  const lie = PICTURE.map((byte) => byte ^ 1);
  const { read } = scene(t, [{}, { bytes: lie }, { wall: 1e9 }]);
  assert.deepEqual(await until(t, read()), PICTURE);
});

test("mirrors that know no slices are asked for the whole", async (t) => {
  const { read } = scene(t, [{}, { ranges: false }, { ranges: false, wall: 1e9 }]);
  assert.deepEqual(await until(t, read()), PICTURE);
});

test("where nobody can, it ends", async (t) => {
  const { read } = scene(t, URLS.map(() => ({ wall: 5_000 })));
  await assert.rejects(until(t, read()), (error) => is(error));
});

test("a beginning that was false is asked for again", async (t) => {
  const { read } = scene(t, [{ bytes: PICTURE.map((byte) => byte ^ 1) }]);
  assert.deepEqual(await until(t, read()), PICTURE);
});
