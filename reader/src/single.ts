// SPDX-License-Identifier: AGPL-3.0-or-later
// The single file: a whole reader in one HTML, opened from a disk, a stick or an attachment.
//
// What always holds: only verified bytes are shown; no script but this one runs (a policy in the
// file says so too); nothing is kept on the device but which edition was seen last, and that not
// where its reader said so.

import { text, utf8, hex, sha256, type Bytes } from "./bytes";
import { fallBackOn } from "./ed25519";
import { is, VerifyError } from "./errors";
import { foot, type Foot } from "./foot";
import { clean, leaf, PICTURE } from "./leaf";
import { Hosts } from "./mirrors";
import { verify } from "./noble";
import { Said } from "./said";
import { Sightings } from "./sightings";
import { Stand, type Answer } from "./stand";
import { IndexedDBState } from "./state-indexeddb";
import { Speech, type Settings } from "./words";
import { bundle } from "./zip";

declare const TAMIZDAT: Settings;

const FILE = "bundle:";
const AT_ONCE = 2;

const byId = (id: string): HTMLElement => document.getElementById(id)!;
const [bar, paper, proof, choose, style] = ["bar", "paper", "proof", "choose", "style"].map(byId) as [
  HTMLElement, HTMLElement, HTMLElement, HTMLInputElement, HTMLElement,
];
const front = byId("front") as HTMLAnchorElement;
const opened = byId("open") as HTMLButtonElement;
const back = byId("back") as HTMLButtonElement;

let speech = new Speech(TAMIZDAT, ...navigator.languages);
let stand: Promise<Stand> | undefined;
let hosts = fromWeb();
let alone = false; // Reading from a bundle, without the network.
let reading = 0; // Which page was asked for last: answers for others come too late.
let blobs: string[] = [];
let leaving: AbortController | undefined;
const places = new Map<string, number>();
let clicked = false;
let secret = false; // Is nothing to be noted on this device?
let sightings = new Sightings(undefined);

fallBackOn(async () => verify);

function fromWeb(): Hosts {
  const found = new Hosts("");
  found.add(TAMIZDAT.mirrors);
  return found;
}

function open(): Promise<Stand> {
  if (!stand) {
    stand = start();
    stand.catch(() => (stand = undefined));
  }
  return stand;
}

/** A bundle is what its reader chose, also where it is old: it has its date. */
async function start(): Promise<Stand> {
  const keeper = (sightings = new Sightings(alone || secret ? undefined : await memory()));
  await keeper.forget();
  const found = await Stand.open({ ...TAMIZDAT, keeper, hosts, alone });
  await keeper.recall(found.edition);
  return found;
}

/** One a newsroom; its name says to nobody which. */
async function memory(): Promise<IndexedDBState> {
  return new IndexedDBState(hex(await sha256(utf8(TAMIZDAT.address))).slice(0, 16));
}

/** From now on nothing is noted, and what was is removed; or the other way round. */
async function noteNothing(on: boolean): Promise<void> {
  secret = on;
  if (on) await (await memory()).forget().catch(() => undefined);
  stand = undefined;
  void turn();
}

/** Where a reader of these languages begins. */
function beginning(): string {
  const code = [speech.code, ...Object.keys(TAMIZDAT.fronts)].find((one) => TAMIZDAT.fronts[one]);
  return (code && TAMIZDAT.fronts[code]) || "/";
}

function asked(): [path: string, anchor: string] {
  const [, path = "", anchor = ""] = /^#(\/[^#]*)(?:#(.*))?$/.exec(location.hash) ?? [];
  try {
    return [decodeURIComponent(path).normalize("NFC") || beginning(), anchor];
  } catch {
    return [beginning(), ""];
  }
}

/** Shows the page that the address names. */
async function turn(): Promise<void> {
  const mine = ++reading;
  leaving?.abort();
  leaving = new AbortController();
  const [path, anchor] = asked();
  const waiting = setTimeout(() => message(speech.say(Said.singleWait)), 300);
  try {
    const answer = await (await open()).show(path.split("?")[0]!, false, leaving.signal);
    if (mine !== reading) return;
    if ("elsewhere" in answer) location.replace(`#${answer.elsewhere}`);
    else await show(answer, anchor);
  } catch (error) {
    if (!is(error)) throw error;
    if (mine === reading) trouble(error);
  } finally {
    clearTimeout(waiting);
  }
}

async function show(answer: Answer, anchor: string): Promise<void> {
  speech = new Speech(TAMIZDAT, answer.path.split("/")[1] ?? "", ...navigator.languages);
  dress();
  blobs.splice(0).forEach((url) => URL.revokeObjectURL(url));
  if (!answer.mediaType.startsWith("text/html")) return offer(answer);
  const page = leaf(text(answer.bytes, answer.path), TAMIZDAT.address);
  if (page.moved) return location.replace(`#${page.moved}`);
  document.title = page.title;
  document.documentElement.lang = page.lang;
  document.documentElement.dir = page.dir;
  document.body.className = page.kind;
  style.textContent = page.style;
  paper.replaceChildren(...page.nodes);
  line(foot(answer, await surroundings(), speech));
  settle(answer.path, anchor);
  pictures(paper);
  void fragments();
}

/** What is not a page, and what the newsroom has nothing at. */
function offer(answer: Answer): void {
  if (answer.status === 404) return message(speech.say(Said.singleAbsent));
  const link = document.createElement("a");
  link.href = blob(answer.bytes, answer.mediaType);
  link.download = decodeURIComponent(answer.path.split("/").pop() ?? "file");
  link.textContent = link.download;
  message("");
  paper.firstElementChild!.append(link);
}

function blob(bytes: Bytes, type: string): string {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  blobs.push(url);
  return url;
}

/** To the place in the page: that of the link, or where its reader was when they left it. */
function settle(path: string, anchor: string): void {
  const target = anchor && document.getElementById(decodeURIComponent(anchor));
  if (target) return target.scrollIntoView();
  scrollTo(0, clicked ? 0 : (places.get(path) ?? 0));
  clicked = false;
}

/** Pictures and recordings, as they come into view. */
function pictures(within: ParentNode): void {
  const waiting: Element[] = [];
  let active = 0;
  const mine = reading;
  const next = async (): Promise<void> => {
    const element = active < AT_ONCE && mine === reading && waiting.shift();
    if (!element) return;
    active++;
    await picture(element);
    active--;
    void next();
  };
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watcher.unobserve(target);
        waiting.push(target);
        void next();
      }
    },
    { rootMargin: "400px 0px" },
  );
  for (const element of within.querySelectorAll(`[${PICTURE}]`)) watcher.observe(element);
}

async function picture(element: Element): Promise<void> {
  const signal = leaving?.signal;
  for (const path of element.getAttribute(PICTURE)!.split(" ").filter(Boolean)) {
    try {
      const answer = await (await open()).show(decodeURIComponent(path), false, signal);
      if ("elsewhere" in answer || answer.status !== 200) continue;
      if (!signal?.aborted) element.setAttribute("src", blob(answer.bytes, answer.mediaType));
      return;
    } catch (error) {
      if (!is(error)) throw error; // Else: another size may be there.
      if (signal?.aborted) return;
    }
  }
}

/** What stands on many pages: the ribbon, the latest stories. */
async function fragments(): Promise<void> {
  const mine = reading;
  for (const place of paper.querySelectorAll<HTMLElement>("[data-fragment]")) {
    const answer = await (await open()).show(place.dataset["fragment"]!).catch(() => undefined);
    if (mine !== reading) return;
    if (!answer || "elsewhere" in answer || answer.status !== 200 || !answer.bytes.length) continue;
    const made = new DOMParser().parseFromString(text(answer.bytes, answer.path), "text/html");
    place.replaceChildren(...clean(made.body, TAMIZDAT.address));
    pictures(place);
  }
}

async function surroundings(): Promise<Parameters<typeof foot>[1]> {
  const digits = hex(await sha256(utf8(TAMIZDAT.root)));
  const fingerprint = digits.replace(/.{8}(?=.)/g, "$& ");
  return { own: "", fingerprint, mirrors: hosts.all(), secret: true, now: Date.now() };
}

function line({ text: said, mood, details }: Foot): void {
  const list = document.createElement("dl");
  for (const [term, value] of details) {
    const [dt, dd] = ["dt", "dd"].map((name) => document.createElement(name)) as [HTMLElement, HTMLElement];
    dt.textContent = term;
    dd.append(Object.assign(document.createElement("bdi"), { textContent: value }));
    list.append(dt, dd);
  }
  proof.className = mood;
  proof.querySelector("summary")!.textContent = said;
  proof.querySelector("dl")!.replaceWith(list);
  if (!alone) remembers(list);
  proof.hidden = false;
}

/** What of this sitting the next one knows, and a button to change that. */
function remembers(list: HTMLElement): void {
  const state = secret ? Said.singleMemoryOff : sightings.noted ? Said.singleMemoryOn : Said.singleMemoryNone;
  const [dt, dd, button] = ["dt", "dd", "button"].map((name) => document.createElement(name)) as [
    HTMLElement, HTMLElement, HTMLElement,
  ];
  dt.textContent = speech.say(Said.singleMemory);
  dd.textContent = `${speech.say(state)} `;
  button.textContent = speech.say(secret ? Said.singleMemoryAgain : Said.singleMemoryStop);
  button.addEventListener("click", () => void noteNothing(!secret));
  if (state !== Said.singleMemoryNone) dd.append(button);
  list.append(dt, dd);
}

function message(...sentences: string[]): void {
  proof.hidden = true;
  document.body.className = "";
  style.textContent = "";
  const box = document.createElement("div");
  box.className = "message-of-reader";
  for (const sentence of sentences.filter(Boolean)) box.append(Object.assign(document.createElement("p"), { textContent: sentence }));
  paper.replaceChildren(box);
}

function trouble(error: VerifyError): void {
  document.documentElement.lang = speech.code;
  document.documentElement.dir = speech.direction;
  message(speech.error(error.code), speech.say(Said.errorSafe), speech.say(Said.singleDrop));
  const again = Object.assign(document.createElement("button"), { textContent: speech.say(Said.errorAgain) });
  again.addEventListener("click", () => void turn());
  const box = paper.firstElementChild!;
  box.prepend(Object.assign(document.createElement("h1"), { textContent: speech.say(Said.errorTitle) }));
  box.append(again);
}

/** Opens a bundle: from now on nothing is asked for over the network. */
async function take(file: File): Promise<void> {
  try {
    const fetch = bundle(new Uint8Array(await file.arrayBuffer()));
    hosts = new Hosts("");
    hosts.addFetch(FILE + file.name, fetch);
    [stand, alone] = [undefined, true];
    await (await open()).refresh(true);
    location.hash === `#${beginning()}` ? void turn() : (location.hash = `#${beginning()}`);
  } catch (error) {
    if (!is(error)) throw error;
    hosts = fromWeb();
    [stand, alone] = [undefined, false];
    message(speech.say(Said.singleBundle), speech.error(error.code));
  }
}

/** The bar's words, in the language of the page. */
function dress(): void {
  bar.lang = proof.lang = speech.code;
  bar.dir = proof.dir = speech.direction;
  back.textContent = speech.say(Said.singleBack);
  front.textContent = speech.say(Said.singleFront);
  front.href = `#${beginning()}`;
  opened.textContent = speech.say(Said.singleOpen);
  opened.title = speech.say(Said.singleDrop);
}

document.addEventListener("click", (event) => {
  const link = (event.target as Element | null)?.closest?.("a[href^='#']");
  if (!link) return;
  const href = link.getAttribute("href")!;
  clicked = true;
  places.set(asked()[0], scrollY);
  if (href.startsWith("#/")) return;
  event.preventDefault(); // A place in this page: the address names pages.
  const target = document.getElementById(decodeURIComponent(href.slice(1)));
  target?.scrollIntoView();
  target?.focus();
});
addEventListener("hashchange", () => void turn());
addEventListener("scroll", () => places.set(asked()[0], scrollY), { passive: true });
back.addEventListener("click", () => history.back());
opened.addEventListener("click", () => choose.click());
choose.addEventListener("change", () => choose.files?.[0] && void take(choose.files[0]));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) void take(file);
});
history.scrollRestoration = "manual";
dress();
void turn();
