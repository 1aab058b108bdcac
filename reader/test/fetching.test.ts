// SPDX-License-Identifier: AGPL-3.0-or-later

import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { brotliCompressSync } from "node:zlib";

import { utf8, type Bytes } from "../src/bytes";
import { fail, is, type Code } from "../src/errors";
import { mirror, single, type Patience } from "../src/fetching";

const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A real server on this machine, as a mirror. */
async function serve(listener: RequestListener, patience: Partial<Patience> = {}) {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return mirror(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { stall: 20_000, pace: 1, ...patience });
}

function ends(promise: Promise<unknown>, code: Code): Promise<void> {
  return assert.rejects(promise, (error) => is(error, code));
}

test("a file is fetched, and nothing of the reader is sent along", async () => {
  const fetch = await serve((request, answer) => {
    assert.equal(request.url, "/metadata/current");
    assert.equal(request.headers.referer, undefined);
    assert.equal(request.headers.cookie, undefined);
    answer.end("Good morning.");
  });
  assert.deepEqual(await fetch("metadata/current", 100), utf8("Good morning."));
});

for (const [status, code] of [
  [404, "missing"],
  [403, "missing"],
  [410, "missing"],
  [451, "network"],
  [500, "network"],
  [302, "network"],
] as [number, Code][]) {
  test(`an answer of ${status} is “${code}”`, async () => {
    const fetch = await serve((_, answer) => answer.writeHead(status, { location: "https://blocked.invalid/" }).end());
    await ends(fetch("x", 100), code);
  });
}

test("endless bytes end at the limit", async () => {
  let stopped!: () => void;
  const closed = new Promise<void>((resolve) => (stopped = resolve));
  const fetch = await serve((_, answer) => {
    const timer = setInterval(() => answer.write("x".repeat(1_000)), 1);
    answer.on("close", () => (clearInterval(timer), stopped()));
  });
  await ends(fetch("x", 5_000), "tooLong");
  await closed;
});

test("exactly the limit is not too long", async () => {
  const fetch = await serve((_, answer) => answer.end("x".repeat(5_000)));
  assert.equal((await fetch("x", 5_000)).length, 5_000);
});

test("silence before the answer ends soon", async () => {
  const fetch = await serve(() => undefined, { stall: 200 });
  const start = performance.now();
  await ends(fetch("x", 100), "network");
  assert.ok(performance.now() - start < 20_000);
});

test("a body that freezes ends soon", async () => {
  const fetch = await serve((_, answer) => answer.writeHead(200).write("x".repeat(16_000)), { stall: 200 });
  await ends(fetch("x", 100_000), "network");
});

test("a slow body that goes on is waited for", async () => {
  const fetch = await serve((_, answer) => {
    let left = 6;
    const timer = setInterval(() => {
      if (left--) answer.write("x");
      else clearInterval(timer), answer.end();
    }, 120);
  });
  assert.equal((await fetch("x", 100)).length, 6);
});

test("a body that drags on a byte at a time ends", async () => {
  const fetch = await serve((_, answer) => {
    const timer = setInterval(() => answer.write("x"), 50);
    answer.on("close", () => clearInterval(timer));
  }, { stall: 300, pace: 1_000 });
  await ends(fetch("x", 200), "network");
});

test("the caller can stop it, before and during", async () => {
  const fetch = await serve((_, answer) => answer.writeHead(200).write("x"));
  await ends(fetch("x", 100, AbortSignal.abort()), "network");
  const stop = new AbortController();
  const going = fetch("x", 100, stop.signal);
  setTimeout(() => stop.abort(), 50);
  await ends(going, "network");
});

test("nobody there is “network”", async () => {
  await ends(mirror("http://127.0.0.1:1/")("x", 100), "network");
});

test("compressed bytes count as long as they are when unpacked", async () => {
  const fetch = await serve((_, answer) => {
    answer.setHeader("content-encoding", "br");
    answer.end(brotliCompressSync(Buffer.alloc(1_000_000)));
  });
  await ends(fetch("bomb.br", 1_000), "tooLong");
});

test("a compressed copy that is damaged sends the reader to the plain one", async () => {
  const fetch = await serve((request, answer) => {
    if (request.url === "/page.br") answer.setHeader("content-encoding", "br").end("not brotli at all");
    else answer.end("plain");
  });
  const check = async (bytes: Bytes) => (bytes.length === 5 ? bytes : fail("altered", "page"));
  assert.deepEqual(await single(fetch).get(["page.br", "page"], 100, check), utf8("plain"));
});

test("that a copy is bad is told, not that another is not there", async () => {
  const fetch = await serve((request, answer) => {
    if (request.url === "/page.br") answer.end("wrong");
    else answer.writeHead(404).end();
  });
  await ends(single(fetch).get(["page.br", "page"], 100, async () => fail("altered", "page")), "altered");
});
