// SPDX-License-Identifier: AGPL-3.0-or-later
// A letter reaches a drop, or its writer hears that it did not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { hex, sha256, utf8 } from "../src/bytes";
import { post, type Outcome, type Step } from "../src/post";

const LETTER = utf8("sealed");
const DROPS = ["https://one.example", "https://two.example"];
type Reply = { status?: number; body?: unknown; text?: string } | "blocked" | "silent";

/** Drops that answer so, in turn, each its own replies; what was asked and told. */
async function send(replies: Record<string, Reply[]>, offline = false) {
  const [asked, told]: [string[], Step[]] = [[], []];
  const fetch = (async (url: string, init: RequestInit) => {
    asked.push(url);
    assert.equal(init.method, "POST");
    assert.equal(init.body, LETTER);
    assert.deepEqual(init.headers, { "content-type": "text/plain" });
    assert.equal(init.credentials, "omit");
    const reply = replies[new URL(url).host.split(".")[0]!]!.shift() ?? "blocked";
    if (reply === "blocked") throw new TypeError("Failed to fetch");
    if (reply === "silent") return new Promise((_, reject) => init.signal!.addEventListener("abort", () => reject(new Error())));
    return new Response(reply.text ?? JSON.stringify(reply.body), { status: reply.status ?? 200 });
  }) as typeof globalThis.fetch;
  const outcome = await post(LETTER, DROPS, { fetch, tell: (step) => told.push(step), still: 30, isOffline: () => offline });
  return { outcome, asked, told };
}

const TAKEN: Reply = { body: { ok: true } };
const refusal = (error: string, status: number): Reply => ({ status, body: { ok: false, error, say: "No." } });

test("the first drop that takes it is the last one asked", async () => {
  const { outcome, asked, told } = await send({ one: [TAKEN], two: [] });
  assert.equal(outcome, "done");
  assert.deepEqual(asked, ["https://one.example/v1/sealed"]);
  assert.deepEqual(told, ["sending"]);
});

const PASSED: [name: string, reply: Reply][] = [
  ["blocked", "blocked"],
  ["silent", "silent"],
  ["full", refusal("full", 503)],
  ["busy without a way out", refusal("busy", 429)],
  ["of another kind", refusal("unknown", 404)],
  ["broken", { status: 500, text: "Internal Server Error" }],
  ["a hotel's page that says 200", { text: "<!doctype html><title>Log in</title>" }],
  ["a hotel's JSON that says 200", { body: { welcome: true } }],
];
for (const [name, reply] of PASSED) {
  test(`another drop is tried where one is ${name}`, async () => {
    const { outcome, asked, told } = await send({ one: [reply], two: [TAKEN] });
    assert.equal(outcome, "done");
    assert.equal(asked.length, 2);
    assert.deepEqual(told, ["sending", "next"]);
  });
}

const FAILED: [one: Reply, two: Reply, outcome: Outcome][] = [
  ["blocked", "silent", "unreachable"],
  ["blocked", refusal("full", 503), "full"],
  [refusal("full", 503), "blocked", "full"],
  [refusal("malformed", 400), "blocked", "refused"],
  ["blocked", refusal("busy", 429), "busy"],
];
for (const [one, two, outcome] of FAILED) {
  test(`it is never called sent where nobody took it: ${outcome}`, async () => {
    assert.equal((await send({ one: [one], two: [two] })).outcome, outcome);
  });
}

test("a letter that is too long is too long for every drop", async () => {
  const { outcome, asked } = await send({ one: [refusal("too-large", 413)], two: [TAKEN] });
  assert.equal(outcome, "large");
  assert.equal(asked.length, 1);
});

test("a device without a network says so", async () => {
  assert.equal((await send({ one: [], two: [] }, true)).outcome, "offline");
});

test("work that is asked for is done, and the letter sent again with its proof", async () => {
  const challenge = { algorithm: "SHA-256", challenge: hex(await sha256(utf8("salt77"))), salt: "salt", signature: "aa", maxnumber: 99 };
  const busy: Reply = { status: 429, body: { ok: false, error: "busy", say: "…", challenge } };
  const { outcome, asked, told } = await send({ one: [busy, TAKEN], two: [] });
  assert.equal(outcome, "done");
  const proof = JSON.parse(atob(new URL(asked[1]!).searchParams.get("proof")!)) as { number: number };
  assert.equal(proof.number, 77);
  assert.deepEqual(told, ["sending", "working", "sending"]);
});

test("a drop that only ever asks for work is left", async () => {
  const challenge = { algorithm: "SHA-256", challenge: hex(await sha256(utf8("s1"))), salt: "s", signature: "", maxnumber: 9 };
  const busy: Reply = { status: 429, body: { ok: false, error: "busy", challenge } };
  const { outcome, asked } = await send({ one: [busy, busy, busy, busy], two: [TAKEN] });
  assert.equal(outcome, "done");
  assert.equal(asked.length, 4);
});

test("a challenge of an unknown kind is no way out", async () => {
  const busy: Reply = { status: 429, body: { ok: false, error: "busy", challenge: { algorithm: "ROT-13", salt: "" } } };
  assert.equal((await send({ one: [busy], two: [] })).outcome, "busy");
});
