// SPDX-License-Identifier: AGPL-3.0-or-later
// The client workflow of The Update Framework, section 5 of its specification, number by number.
//
// What always holds:
// - Nothing is trusted before signatures, version and hashes are checked, in that order of the
//   specification in which no attacker's bytes decide anything.
// - A session works on a copy. What it found becomes the client's, and goes into its memory, in
//   one step when the caller says so: an update that breaks off leaves all as it was.
// - Versions never go back, unless the keys that vouched for them were taken away.
//
// What is not done here: fetching (a port), ages of pages, anything about newspapers.

import { hex, sha256, utf8, type Bytes } from "./bytes";
import { fail, is } from "./errors";
import {
  checkHashes,
  checkSigned,
  readRoot,
  readSnapshot,
  readTargets,
  readTimestamp,
  signers,
  speaksFor,
  SCHEMES,
  type Delegation,
  type Meta,
  type Root,
  type Schemes,
  type Signers,
  type Snapshot,
  type Target,
  type Targets,
  type Timestamp,
} from "./metadata";
import type { Files, State } from "./state";

/** Fetches a file of the metadata folder, `7.snapshot.json`; stops at `limit` bytes. */
export type FetchMetadata = (name: string, limit: number) => Promise<Bytes>;

export interface Limits {
  root: number;
  timestamp: number;
  snapshot: number;
  targets: number;
}

export interface TufOptions {
  /** Milliseconds since 1970. */
  now: () => number;
  /** What to do where the specification says that expired metadata ends the update. */
  stale: "refuse" | "accept";
  schemes: Schemes;
  limits: Limits;
  /** Is this, by its look, of another role? A signature does not say for which role it was made,
   * and the same keys may sign several. */
  odd?: (metadata: Targets, role: string) => boolean;
  /** Called whenever a step has been verified, for who must keep each (the specification's
   * “persist”). A reader for people keeps only whole updates and leaves it out. */
  onStep?: (files: Files) => Promise<void>;
}

export const LIMITS: Limits = { root: 16_000, timestamp: 4_000, snapshot: 8_000, targets: 32_000 };
const OPTIONS: TufOptions = { now: Date.now, stale: "accept", schemes: SCHEMES, limits: LIMITS };
const NEW_ROOTS = 256;
const VISITS = 32;

/** What a client believes. Never changed, only replaced. */
export interface Trusted {
  root: Root;
  timestamp: Timestamp | undefined;
  snapshot: Snapshot | undefined;
  /** By role; and whatever else a session was given to keep. */
  files: Files;
  /** The version of root under which the rest was seen. */
  seen: number;
}

export class Tuf {
  private constructor(
    public trusted: Trusted,
    readonly options: TufOptions,
  ) {}

  /** `root`: that the reader came with. The memory's own is preferred where it is newer. */
  static async open(root: Bytes, state: State, options: Partial<TufOptions> = {}): Promise<Tuf> {
    const all = { ...OPTIONS, ...options };
    const given = readRoot(root, "root");
    // 5.2: the first root comes by a trusted way; it must still be signed by itself.
    await checkSigned(given, signers(given, "root"), all.schemes);
    const files = await state.load().catch(() => new Map());
    return new Tuf(remembered(given, files), all);
  }

  /** An update from one mirror. */
  session(fetch: FetchMetadata): Session {
    return new Session(this.trusted, fetch, this.options);
  }
}

function remembered(given: Root, files: Files): Trusted {
  const nothing = {
    root: given,
    timestamp: undefined,
    snapshot: undefined,
    files: new Map([["root", given.bytes]]),
    seen: given.version,
  };
  try {
    const stored = files.get("root");
    const before = stored && readRoot(stored, "root");
    if (!before) return nothing;
    const root = before.version > given.version ? before : given;
    if (rotated(before, root)) return nothing;
    const [timestamp, snapshot] = [files.get("timestamp"), files.get("snapshot")];
    return {
      root,
      timestamp: timestamp && readTimestamp(timestamp, "timestamp"),
      snapshot: snapshot && readSnapshot(snapshot, "snapshot"),
      files: new Map([...files, ["root", root.bytes]]),
      seen: before.version,
    };
  } catch (error) {
    // A memory that cannot be read is none.
    if (is(error)) return nothing;
    throw error;
  }
}

/** 5.3.11: was a key that vouched for versions taken away? Done in one with 5.3.8, so that no break
 * between the two forgets it. */
function rotated(before: Root, after: Root): boolean {
  return (["timestamp", "snapshot"] as const).some((name) => {
    const still = new Set(spelt(signers(after, name)));
    return spelt(signers(before, name)).some((key) => !still.has(key));
  });
}

function spelt(who: Signers): string[] {
  return who.keyids.map((keyid) => who.keys.get(keyid)?.public ?? "");
}

export class Session implements Trusted {
  root: Root;
  timestamp: Timestamp | undefined;
  snapshot: Snapshot | undefined;
  readonly files: Map<string, Bytes>;
  readonly seen: number;
  /** When each role that was used ends, in milliseconds since 1970. */
  readonly expires = new Map<string, number>();
  private readonly roles = new Map<string, { by: Signers; metadata: Targets }>();

  constructor(
    readonly base: Trusted,
    private readonly fetch: FetchMetadata,
    private readonly options: TufOptions,
  ) {
    this.root = base.root;
    this.timestamp = base.timestamp;
    this.snapshot = base.snapshot;
    this.files = new Map(base.files);
    this.seen = base.seen;
  }

  /** 5.3 to 5.6: the top-level roles. */
  async refresh(): Promise<void> {
    await this.updateRoot();
    await this.updateTimestamp();
    await this.updateSnapshot();
    await this.role("targets", signers(this.root, "targets"));
  }

  /** 5.6.7: what `targets` and the roles it delegates to say of a path; undefined: nothing. */
  async target(path: string): Promise<Target | undefined> {
    const hash = hex(await sha256(utf8(path)));
    const visited = new Set<string>();
    let open: [string, Signers][] = [["targets", signers(this.root, "targets")]];
    for (let next; (next = open.pop()) && visited.size < VISITS; ) {
      const [name, by] = next;
      if (visited.has(name)) continue;
      visited.add(name);
      const metadata = await this.role(name, by);
      const found = metadata.targets.get(path);
      if (found) return found;
      const speaking = metadata.delegations.filter((delegation) => speaksFor(delegation, path, hash));
      const last = speaking.findIndex((delegation) => delegation.terminating);
      if (last >= 0) open = [];
      open.push(...children(last < 0 ? speaking : speaking.slice(0, last + 1)));
    }
    return undefined;
  }

  /** 5.3 */
  private async updateRoot(): Promise<void> {
    const { root: limit } = this.options.limits;
    for (let i = 0; i < NEW_ROOTS; i++) {
      const bytes = await this.optional(`${this.root.version + 1}.root.json`, limit);
      if (!bytes) break;
      const next = readRoot(bytes, "root");
      await checkSigned(next, signers(this.root, "root"), this.options.schemes);
      await checkSigned(next, signers(next, "root"), this.options.schemes);
      if (next.version !== this.root.version + 1) fail("rollback", "root");
      if (rotated(this.root, next)) this.forget();
      this.root = next;
      await this.keep("root", bytes);
      this.files.set(`${next.version}.root.json`, bytes); // So that memory can be proven from the first.
    }
    this.checkAge("root", this.root.expires);
  }

  private async optional(name: string, limit: number): Promise<Bytes | undefined> {
    try {
      return await this.fetch(name, limit);
    } catch (error) {
      if (is(error, "missing")) return undefined;
      throw error;
    }
  }

  private forget(): void {
    this.timestamp = this.snapshot = undefined;
    this.files.delete("timestamp");
    this.files.delete("snapshot");
  }

  /** 5.4 */
  private async updateTimestamp(): Promise<void> {
    const bytes = await this.fetch("timestamp.json", this.options.limits.timestamp);
    const next = readTimestamp(bytes, "timestamp");
    await checkSigned(next, signers(this.root, "timestamp"), this.options.schemes);
    const before = this.timestamp;
    const again = before?.version === next.version;
    if (before && !again && (next.version < before.version || next.snapshot.version < before.snapshot.version)) {
      fail("rollback", "timestamp");
    }
    // Of equal versions the one at hand is kept, whatever the other says; and its age still counts.
    this.checkAge("timestamp", (again ? before : next).expires);
    if (again) return;
    this.timestamp = next;
    await this.keep("timestamp", bytes);
  }

  /** 5.5 */
  private async updateSnapshot(): Promise<void> {
    const meta = this.timestamp!.snapshot;
    const before = this.snapshot;
    const next = await this.obtain("snapshot", meta, this.options.limits.snapshot, async (bytes) => {
      const read = readSnapshot(bytes, "snapshot");
      await checkSigned(read, signers(this.root, "snapshot"), this.options.schemes);
      return read;
    });
    for (const [name, { version }] of before?.meta ?? []) {
      if ((next.meta.get(name)?.version ?? 0) < version) fail("rollback", name);
    }
    this.checkAge("snapshot", next.expires);
    this.snapshot = next;
    await this.keep("snapshot", next.bytes);
  }

  /** 5.6, and the same for a delegated role: each time by the keys of whoever led to it. */
  private async role(name: string, by: Signers): Promise<Targets> {
    const done = this.roles.get(name);
    if (done?.by.keys === by.keys && same(done.by, by)) return done.metadata;
    const meta = this.snapshot!.meta.get(`${name}.json`) ?? fail("missing", name);
    const metadata = await this.obtain(name, meta, this.options.limits.targets, async (bytes) => {
      const read = readTargets(bytes, name);
      await checkSigned(read, by, this.options.schemes);
      return this.options.odd?.(read, name) ? fail("format", name) : read;
    });
    this.checkAge(name, metadata.expires);
    this.roles.set(name, { by, metadata });
    await this.keep(name, metadata.bytes);
    return metadata;
  }

  /** The version that was announced: from memory where it is there, else from the mirror. */
  private async obtain<T extends { version: number }>(
    name: string,
    meta: Meta,
    limit: number,
    read: (bytes: Bytes) => Promise<T>,
  ): Promise<T> {
    const check = async (bytes: Bytes): Promise<T> => {
      await checkHashes(bytes, meta, false, name);
      const metadata = await read(bytes);
      return metadata.version === meta.version ? metadata : fail("altered", name);
    };
    const known = this.files.get(name);
    if (known) {
      try {
        return await check(known);
      } catch (error) {
        if (!is(error)) throw error;
      }
    }
    const file = `${meta.version}.${encodeURIComponent(name)}.json`;
    return check(await this.fetch(file, Math.min(meta.length ?? limit, limit)));
  }

  private checkAge(name: string, expires: number): void {
    this.expires.set(name, expires);
    if (this.options.stale === "refuse" && expires <= this.options.now()) fail("stale", name);
  }

  private async keep(name: string, bytes: Bytes): Promise<void> {
    if (this.files.get(name) === bytes) return;
    this.files.set(name, bytes);
    await this.options.onStep?.(this.files);
  }
}

/** Last first, as they are taken from the end. */
function children(delegations: Delegation[]): [string, Signers][] {
  return delegations.map((item): [string, Signers] => [item.name, item]).reverse();
}

function same(a: Signers, b: Signers): boolean {
  return a.threshold === b.threshold && a.keyids.join() === b.keyids.join();
}
