// SPDX-License-Identifier: AGPL-3.0-or-later
// The service worker of the newsroom's own entries.
//
// What always holds: every answer under the entry's address is verified, or an error that says
// so; what the entry itself sends is believed no more than any mirror. Nothing of a reader is
// told to anybody; nothing is kept before a page has said that it may be.

import { fallBackOn, isNative, type Operation } from "./ed25519";
import { pathOf } from "./edition";
import { is, VerifyError } from "./errors";
import { hex, sha256, text, utf8 } from "./bytes";
import { foot, type Foot } from "./foot";
import { Keeper } from "./keeper";
import { Hosts } from "./mirrors";
import { errorPage, POLICY, titleOf } from "./page";
import { Stand, type Answer, type Shown } from "./stand";
import { Speech, type Settings } from "./words";

declare const TAMIZDAT: Settings;
declare const self: WorkerScope;
declare const tamizdatEd25519: { verify: Operation };
declare function importScripts(url: string): void;

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface WorkerScope extends EventTarget {
  location: Location;
  navigator: Navigator;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
}

const OWN = new URL("/", self.location.href).href;
const FALLBACK = "/ed25519.js";
const REMEMBERED = 50;

const keeper = new Keeper("tamizdat");
const hosts = new Hosts(OWN);
hosts.add([OWN, ...TAMIZDAT.mirrors]);
const shownAt = new Map<string, Shown>();
let stand: Promise<Stand> | undefined;

function open(): Promise<Stand> {
  stand ??= Stand.open({ ...TAMIZDAT, keeper, hosts });
  stand.catch(() => (stand = undefined));
  return stand;
}

fallBackOn(async () => {
  importScripts(FALLBACK);
  return tamizdatEd25519.verify;
});

self.addEventListener("install", (event) => {
  const ready = async (): Promise<void> => {
    if (!(await isNative())) importScripts(FALLBACK); // Only now may a script be fetched.
    await self.skipWaiting();
  };
  (event as Extendable).waitUntil(ready());
});

self.addEventListener("activate", (event) => (event as Extendable).waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin || request.method !== "GET") return;
  (event as Fetching).respondWith(respond(request, url));
});

self.addEventListener("online", () => hosts.forgive());

self.addEventListener("message", (event) => {
  const { data, ports } = event as MessageEvent;
  const [port] = ports;
  if (!port || typeof data !== "object" || data === null || data.tamizdat !== 1) return;
  (event as Event as Extendable).waitUntil(converse(data as Asked).then((said) => port.postMessage(said)));
});

/** Answers a request with what was verified, or with what went wrong. */
async function respond(request: Request, url: URL): Promise<Response> {
  const path = pathOf(url);
  const began = performance.now();
  try {
    // “//host/” would be another host's in a redirect; the paper has no such path.
    if (path === undefined || path.startsWith("//")) throw new VerifyError("missing", url.pathname);
    const reloaded = request.mode === "navigate" && request.cache !== "default";
    const answer = await (await open()).show(path, reloaded);
    if ("elsewhere" in answer) return Response.redirect(new URL(encodeURI(answer.elsewhere), OWN).href, 301);
    const took = performance.now() - began;
    if (request.mode === "navigate") {
      note(path, answer);
      if (answer.status === 200) keepTitle(answer);
    }
    return response(answer, request.headers.get("range"), took);
  } catch (error) {
    if (!is(error)) throw error;
    return request.mode === "navigate" ? failure(error, path ?? "/", request) : new Response("", { status: 504 });
  }
}

function note(path: string, { bytes: _, ...shown }: Answer): void {
  shownAt.delete(path);
  shownAt.set(path, shown);
  if (shownAt.size > REMEMBERED) shownAt.delete(shownAt.keys().next().value!);
}

function keepTitle({ path, bytes, mediaType }: Answer): void {
  if (!mediaType.startsWith("text/html")) return;
  const title = titleOf(text(bytes, path));
  if (title) keeper.putJson(`title:${path}`, title);
}

function response({ bytes, mediaType, status, sha256 }: Answer, range: string | null, took: number): Response {
  const headers: Record<string, string> = {
    "content-type": mediaType || "text/plain; charset=utf-8",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "server-timing": `verified;dur=${took.toFixed(1)}`,
    etag: `"${sha256.slice(0, 32)}"`,
  };
  // A redirect is a page that leads on by itself.
  if (status !== 200) return new Response(bytes, { status: status === 301 ? 200 : status, headers });
  const part = range && /^bytes=(\d+)-(\d*)$/.exec(range);
  if (!part) return new Response(bytes, { headers });
  const start = Number(part[1]);
  const end = part[2] ? Math.min(Number(part[2]) + 1, bytes.length) : bytes.length;
  if (start >= end) return new Response("", { status: 416, headers: { "content-range": `bytes */${bytes.length}` } });
  headers["content-range"] = `bytes ${start}-${end - 1}/${bytes.length}`;
  return new Response(bytes.subarray(start, end), { status: 206, headers });
}

async function failure(error: VerifyError, path: string, request: Request): Promise<Response> {
  const speech = speechFor(path, request.headers.get("accept-language") ?? "");
  const tried = hosts.all().map((host) => new URL(host.url).host);
  const names = (await keeper.names("title:")).slice(0, 30);
  const kept: [string, string][] = [];
  for (const name of names) kept.push([name.slice(6), String(await keeper.getJson(name))]);
  return new Response(errorPage({ error, tried, kept }, speech), {
    status: 503,
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY, "cache-control": "no-store" },
  });
}

function speechFor(path: string, ...others: string[]): Speech {
  return new Speech(TAMIZDAT, path.split("/")[1] ?? "", ...others, ...(self.navigator.languages ?? []));
}

interface Asked {
  tamizdat: 1;
  /** A form asks for the key that letters are sealed to, and for nothing else. */
  letter?: true;
  /** Of the page: its address, its language, whether it came through the worker, and whether
   * nothing may be kept. */
  href: string;
  lang: string;
  through: boolean;
  secret: boolean;
}

async function converse(asked: Asked): Promise<Foot | { recipient: string } | undefined> {
  if (asked.letter) return open().then(async (found) => ({ recipient: await found.recipient() })).catch(() => undefined);
  const path = pathOf(new URL(asked.href));
  if (path === undefined) return undefined;
  await (asked.secret ? keeper.forget() : keeper.allow());
  const found = await open();
  if (!asked.through) void found.show(path).catch(() => undefined); // So that it is there the next time.
  const shown = asked.through ? (shownAt.get(path) ?? (await described(found, path))) : undefined;
  return foot(
    shown,
    {
      own: OWN,
      fingerprint: await fingerprint(),
      mirrors: hosts.all(),
      secret: keeper.secret,
      now: Date.now(),
    },
    speechFor(`/${asked.lang}/`),
  );
}

/** The same of a page that was shown before the browser put this worker to sleep. */
async function described(found: Stand, path: string): Promise<Shown | undefined> {
  const answer = await found.show(path).catch(() => undefined);
  return answer && !("elsewhere" in answer) ? answer : undefined;
}

async function fingerprint(): Promise<string> {
  const digits = hex(await sha256(utf8(TAMIZDAT.root)));
  return digits.replace(/.{8}(?=.)/g, "$& ");
}
