// SPDX-License-Identifier: AGPL-3.0-or-later
// A newspaper that proves itself (docs/format/edition-v1.md, sections 6 and 7).
//
// What always holds:
// - Every byte that is given out was published by the newsroom at this path, in the edition that
//   is at hand; an update is believed, and remembered, as a whole or not at all.
// - Nothing goes back behind what this reader has seen. Nothing goes dark because of age: it says
//   of when it is.
// - Wrong bytes end in a `VerifyError`, whatever they are.
//
// What is not done here: choosing among mirrors, keeping pages, words for people.

import { compare, hex, sha256, type Bytes } from "./bytes";
import { CURRENT, CURRENT_LIMIT, readCurrent } from "./current";
import { fail, is } from "./errors";
import type { Fetch, Source } from "./fetching";
import { string } from "./json";
import { isText, mediaType } from "./media";
import { checkHashes, instant, type Target, type Targets } from "./metadata";
import { dayOf, keyOf, numberOf, readRecord, readShard, RECORD_LIMIT, SHARD_LIMIT, shardName } from "./shards";
import type { Entry, IndexRecord } from "./shards";
import { readMirrors, readSite, type Site } from "./site";
import type { Files, State } from "./state";
import { Tuf, type Session, type TufOptions } from "./tuf";

export type IndexName = "recent" | "base" | "archive";
const INDEXES: readonly (readonly [IndexName, string])[] = [
  ["recent", "live/recent"],
  ["base", "live/base"],
  ["archive", "archive/index"],
];
const STATUS = [200, 301, 410, 404] as const;
const FILE_LIMIT = 64_000;

export interface EditionOptions extends Pick<TufOptions, "now" | "stale"> {
  /** Bytes of the largest file that is held in memory. */
  largest: number;
}

/** Of when the paper at hand is. */
export interface Age {
  /** When the newsroom last said “this is the present edition”: milliseconds since 1970. */
  asOf: number;
  /** True where a signature's time is over: show it, and say so. */
  stale: boolean;
  /** The number of the newest edition, and when it was built (milliseconds since 1970). */
  edition: number;
  built: number;
  /** The version of the newsroom's root metadata: of the keys. */
  root: number;
}

/** What the newsroom says of a path. */
export interface Found extends Age {
  /** 404: proven that there is nothing. */
  status: (typeof STATUS)[number];
  /** Hexadecimal; empty where there is nothing. */
  sha256: string;
  length: number;
  mediaType: string;
  /** Where it was found. */
  index: IndexName | undefined;
  /** The day on which it last changed, `2026-11-22`; empty where there never was anything. */
  changedDay: string;
  /** The day on which the archive was sealed, where the archive has something at this path. */
  sealedDay: string | undefined;
  /** True where that is something else than what is found: say so, with both days. */
  changedAfterSealing: boolean;
}

export interface Page extends Found {
  bytes: Bytes;
}

interface View {
  records: ReadonlyMap<IndexName, IndexRecord>;
  asOf: number;
  expires: number;
  root: number;
  site: Target | undefined;
  mirrors: Target | undefined;
}

/** Section 2: the holders' keys sign both `targets` and `archive`; by what it delegates it is seen
 * which of the two it is, so that a mirror cannot show the one in the place of the other. */
const odd = ({ delegations }: Targets, role: string): boolean => !delegations[0] === (role === "targets");

/** What an update did: `changed` is true where something new was believed. */
export interface Update {
  changed: boolean;
  /** False where it could not be remembered: it holds until the program ends. */
  kept: boolean;
}

export class Edition {
  private view: View | undefined;
  private saving: Promise<boolean> = Promise.resolve(true);

  private constructor(
    private readonly tuf: Tuf,
    private readonly state: State,
    private readonly options: EditionOptions,
  ) {}

  /** `root`: the newsroom's root metadata that the reader came with. Throws what is wrong with it;
   * a memory that cannot be read is none. */
  static async open(root: Bytes, state: State, options: Partial<EditionOptions> = {}): Promise<Edition> {
    const all: EditionOptions = { now: Date.now, stale: "accept", largest: 64 << 20, ...options };
    const tuf = await Tuf.open(root, state, { now: all.now, stale: all.stale, odd });
    const edition = new Edition(tuf, state, all);
    await edition.resume();
    return edition;
  }

  /** The age of what is at hand; undefined: nothing was verified yet. */
  get age(): Age | undefined {
    return this.view && this.ageOf(this.view);
  }

  /** Brings what is known up to date with one mirror. What is at hand stays where that fails:
   * `rollback`: the mirror is older than it. `signal` ends it (`network`). */
  async update(fetch: Fetch, signal?: AbortSignal): Promise<Update> {
    const files = new Remembering((name, limit) => fetch(name, limit, signal));
    const root = `metadata/${this.tuf.trusted.root.version + 1}.root.json`;
    files.get(root, this.tuf.options.limits.root).catch(() => undefined);
    try {
      files.add(readCurrent(await files.get(CURRENT, CURRENT_LIMIT)));
      return await this.attempt(files);
    } catch (error) {
      // Missing, damaged or older than needed: the same, file by file.
      if (!is(error) || is(error, "network")) throw error;
      files.clear();
      return this.attempt(files);
    }
  }

  /** What the newsroom says of a path (NFC, not percent-encoded; see `pathOf`). */
  async find(path: string, source: Source, signal?: AbortSignal): Promise<Found> {
    const view = this.present();
    const key = await keyOf(path);
    const asked = INDEXES.map(async ([name]) => lookUp(view.records.get(name), key, source, signal));
    const [recent, base, archive] = await Promise.all(asked);
    const entry = recent ?? base ?? archive;
    const index = recent ? "recent" : base ? "base" : archive && "archive";
    const there = entry && entry.status < 3 ? entry : undefined;
    return {
      ...this.ageOf(view),
      status: STATUS[entry?.status ?? 3]!,
      sha256: there ? hex(there.sha256) : "",
      length: there?.length ?? 0,
      mediaType: mediaType(there?.media ?? 0),
      index,
      changedDay: entry?.day ?? "",
      sealedDay: archive && dayOf(view.records.get("archive")!.built),
      changedAfterSealing: differ(entry, archive),
    };
  }

  /** A path's page, or its tombstone, or the proof that there is none. */
  async read(path: string, source: Source, signal?: AbortSignal): Promise<Page> {
    const found = await this.find(path, source, signal);
    return { ...found, bytes: await this.bytes(found, source, signal) };
  }

  /** The bytes of what `find` found. */
  async bytes(found: Found, source: Source, signal?: AbortSignal): Promise<Bytes> {
    if (!found.sha256) return new Uint8Array(0);
    const name = `objects/${found.sha256.slice(0, 2)}/${found.sha256}`;
    if (found.length > this.options.largest) fail("tooLong", name);
    const names = isText(found.mediaType) ? [`${name}.br`, name] : [name];
    const check = async (bytes: Bytes): Promise<Bytes> => ((await isOf(found, bytes)) ? bytes : fail("altered", name));
    return source.get(names, found.length, check, signal);
  }

  /** What the newsroom says of itself. */
  async site(source: Source, signal?: AbortSignal): Promise<Site> {
    return readSite(await this.target("site.json", this.present().site, source, signal));
  }

  /** Bases of the present mirrors, those of the reader's cohort first; those in `site.seeds` are
   * for who cannot ask. `cohort`: what the reader was given. */
  async mirrors(source: Source, cohort = "", signal?: AbortSignal): Promise<string[]> {
    return readMirrors(await this.target("live/mirrors.json", this.present().mirrors, source, signal), cohort);
  }

  private async target(name: string, said: Target | undefined, source: Source, signal?: AbortSignal): Promise<Bytes> {
    const target = said ?? fail("missing", name);
    const check = async (bytes: Bytes): Promise<Bytes> => (await checkHashes(bytes, target, true, name), bytes);
    return source.get([targetName(name, target)], Math.min(target.length, FILE_LIMIT), check, signal);
  }

  private present(): View {
    return this.view ?? fail("missing", "metadata");
  }

  private ageOf(view: View): Age {
    const records = [...view.records.values()];
    return {
      asOf: view.asOf,
      stale: view.expires <= this.options.now(),
      edition: Math.max(0, ...records.map((record) => record.edition)),
      built: Math.max(0, ...records.map((record) => record.built)) * 1000,
      root: view.root,
    };
  }

  /** Takes up what was verified on a former visit. */
  private async resume(): Promise<void> {
    const { timestamp, seen } = this.tuf.trusted;
    if (!timestamp) return;
    const session = this.tuf.session(async (name) =>
      name === "timestamp.json" ? timestamp.bytes : fail("missing", name),
    );
    try {
      const view = await gather(session, async (name) => fail("missing", name), undefined);
      this.view = { ...view, root: seen };
    } catch (error) {
      if (!is(error)) throw error; // Else: what is remembered still holds off what is older.
    }
  }

  private async attempt(files: Remembering): Promise<Update> {
    for (;;) {
      const session = this.tuf.session((name, limit) => files.get(`metadata/${name}`, limit));
      const view = await gather(session, (name, path) => files.get(name, RECORD_LIMIT, path), this.view);
      // Another update was believed meanwhile: this one must follow on that.
      if (session.base === this.tuf.trusted) return this.believe(session, view);
    }
  }

  private async believe(session: Session, view: View): Promise<Update> {
    const changed = !sameFiles(session.base.files, session.files);
    this.view = view;
    if (!changed) return { changed, kept: await this.saving };
    const { root, timestamp, snapshot, files } = session;
    this.tuf.trusted = { root, timestamp, snapshot, files, seen: root.version };
    this.saving = this.saving.then(() => this.state.save(files).then(() => true, () => false));
    return { changed, kept: await this.saving };
  }
}

/** The decoded path of an address, composed (NFC); undefined where no page can have it. */
export function pathOf(url: URL): string | undefined {
  try {
    return decodeURIComponent(url.pathname).normalize("NFC");
  } catch {
    return undefined;
  }
}

/** Are these the bytes that were found? For bytes that came another way: from an entry, a cache. */
export async function isOf(found: Found, bytes: Bytes): Promise<boolean> {
  return hex(await sha256(bytes)) === found.sha256;
}

function differ(a: Entry | undefined, b: Entry | undefined): boolean {
  // The same bytes withdrawn, or of another type, are not the same page.
  return !!a && !!b && (a.status !== b.status || a.media !== b.media || compare(a.sha256, b.sha256) !== 0);
}

function sameFiles(a: Files, b: Files): boolean {
  return a.size === b.size && [...a].every(([name, bytes]) => b.get(name) === bytes);
}

function targetName(path: string, target: Target): string {
  const slash = path.lastIndexOf("/") + 1;
  const hash = target.hashes.get("sha256") ?? fail("format", path);
  return `targets/${path.slice(0, slash)}${hash}.${path.slice(slash)}`;
}

async function lookUp(
  record: IndexRecord | undefined,
  key: Bytes,
  source: Source,
  signal: AbortSignal | undefined,
): Promise<Entry | undefined> {
  if (!record?.count) return undefined;
  const number = numberOf(key, record.depth);
  const check = (bytes: Bytes) => readShard(bytes, record, number);
  return (await source.get([shardName(record, number)], SHARD_LIMIT, check, signal)).find(key);
}

/** Fetches a target; by its name in the folder, and by its path. */
type Load = (name: string, path: string) => Promise<Bytes>;

/** Everything of an update, verified; the session's files are what is worth remembering. */
async function gather(session: Session, load: Load, before: View | undefined): Promise<View> {
  await session.refresh();
  const records = new Map<IndexName, IndexRecord>();
  for (const [index, path] of INDEXES) {
    const target = await session.target(path);
    const key = `target:${path}`;
    if (target) {
      const bytes = await record(target, path, session.files.get(key), load);
      session.files.set(key, bytes);
      records.set(index, readRecord(bytes, path));
    } else {
      session.files.delete(key);
    }
  }
  const root = session.root.version;
  checkRecords(records, root === before?.root ? before.records : new Map());
  const timestamp = session.timestamp!;
  return {
    records,
    asOf: instant(string(timestamp.signed["issued"], "timestamp"), "timestamp"),
    site: await session.target("site.json"),
    mirrors: await session.target("live/mirrors.json"),
    expires: Math.min(...session.expires.values()),
    root,
  };
}

/** An index record: from memory where that is the one that is meant. */
async function record(target: Target, path: string, known: Bytes | undefined, load: Load): Promise<Bytes> {
  const check = async (bytes: Bytes): Promise<Bytes> => (await checkHashes(bytes, target, true, path), bytes);
  try {
    return await check(known ?? fail("missing", path));
  } catch (error) {
    if (!is(error)) throw error;
    return check(await load(targetName(path, target), path));
  }
}

function checkRecords(records: ReadonlyMap<IndexName, IndexRecord>, before: ReadonlyMap<IndexName, IndexRecord>): void {
  for (const [name, record] of before) {
    if ((records.get(name)?.edition ?? -1) < record.edition) fail("rollback", name);
  }
  const recent = records.get("recent");
  if (recent && recent.since !== (records.get("base")?.edition ?? 0)) fail("altered", "recent");
}

/** Files of one mirror, each asked for once; parts of `current` stand for their files. */
class Remembering {
  private readonly asked = new Map<string, Promise<Bytes>>();
  private parts: ReadonlyMap<string, Bytes> = new Map();

  constructor(private readonly fetch: (name: string, limit: number) => Promise<Bytes>) {}

  add(parts: ReadonlyMap<string, Bytes>): void {
    this.parts = parts;
  }

  clear(): void {
    this.parts = new Map();
  }

  /** `as`: the name of its part. */
  async get(name: string, limit: number, as = name.replace(/^metadata\//, "")): Promise<Bytes> {
    const part = this.parts.get(as);
    if (part) return part.length <= limit ? part : fail("tooLong", name);
    const asked = this.asked.get(name) ?? this.fetch(name, limit);
    this.asked.set(name, asked);
    return asked;
  }
}
