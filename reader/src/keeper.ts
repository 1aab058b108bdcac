// SPDX-License-Identifier: AGPL-3.0-or-later
// What a reader keeps on the device: verified files, by name, the least recently used go first.
//
// What always holds:
// - Nothing is written before a page has said that it may be (`allow`); until then, and in private
//   reading, everything stays in memory. Private reading removes what was there.
// - What is kept is not trusted: who takes it out checks it as if a mirror had sent it.
// - A browser that keeps nothing, or a full disk, costs the memory between visits, nothing else.

import { text, utf8, type Bytes } from "./bytes";
import type { Files, State } from "./state";

export interface Bounds {
  bytes: number;
  files: number;
  /** The largest file that is kept. */
  each: number;
}

const BOUNDS: Bounds = { bytes: 30e6, files: 400, each: 4e6 };
const FILES = "files";
const USES = "uses";

interface Use {
  at: number;
  size: number;
}

export class Keeper implements State {
  private readonly memory = new Map<string, Bytes | Files>();
  private waiting = new Set<string>();
  private mode: "unknown" | "open" | "private" = "unknown";
  private database: Promise<IDBDatabase | undefined> | undefined;
  private work: Promise<void> = Promise.resolve();
  private held = 0;

  constructor(
    private readonly name: string,
    private readonly bounds: Bounds = BOUNDS,
    private readonly now: () => number = Date.now,
  ) {}

  get secret(): boolean {
    return this.mode === "private";
  }

  /** From now on what is read is kept. */
  async allow(): Promise<void> {
    if (this.mode !== "open") {
      this.mode = "open";
      this.database = undefined;
    }
    const names = [...this.waiting];
    this.waiting.clear();
    for (const name of names) {
      const value = this.memory.get(name);
      if (value) await this.write(name, value);
    }
  }

  /** From now on nothing is, and what was is removed. */
  async forget(): Promise<void> {
    this.mode = "private";
    this.waiting.clear();
    await this.work;
    (await this.database)?.close();
    this.database = Promise.resolve(undefined);
    await new Promise<void>((resolve) => {
      const request = attempt(() => indexedDB.deleteDatabase(this.name));
      if (!request) return resolve();
      request.onsuccess = request.onerror = request.onblocked = () => resolve();
    });
  }

  async get(name: string): Promise<Bytes | undefined> {
    const found = await this.find(name);
    return found instanceof Uint8Array ? (found as Bytes) : undefined;
  }

  put(name: string, bytes: Bytes): void {
    if (bytes.length > this.bounds.each) return;
    this.remember(name, bytes, bytes.length);
  }

  async getJson(name: string): Promise<unknown> {
    const bytes = await this.get(name);
    try {
      return bytes && JSON.parse(text(bytes, name));
    } catch {
      return undefined; // A note that cannot be read is none.
    }
  }

  putJson(name: string, value: unknown): void {
    this.put(name, utf8(JSON.stringify(value)));
  }

  /** Keeps these no longer. */
  drop(...names: string[]): void {
    for (const name of names) {
      const before = this.memory.get(name);
      if (before instanceof Uint8Array) this.held -= before.length;
      this.memory.delete(name);
      this.waiting.delete(name);
    }
    if (this.mode !== "open") return;
    this.work = this.work.then(() => this.erase(names)).catch(() => undefined);
  }

  /** Names that begin so, the last used first. */
  async names(prefix: string): Promise<string[]> {
    const uses = await this.uses();
    const found = [...uses].filter(([name]) => name.startsWith(prefix));
    return found.sort(([, a], [, b]) => b.at - a.at).map(([name]) => name);
  }

  // State: what the verifier remembers, as one file among the others.

  async load(): Promise<Files> {
    const found = await this.find("state");
    return found instanceof Map ? found : new Map();
  }

  async save(files: Files): Promise<void> {
    this.remember("state", new Map(files), 0);
    await this.work;
  }

  private async find(name: string): Promise<unknown> {
    const known = this.memory.get(name);
    if (known) return known;
    const database = await this.open();
    if (!database) return undefined;
    try {
      const found: unknown = await done(database.transaction(FILES).objectStore(FILES).get(name));
      if (found && this.mode === "open") this.touch(database, name, found);
      return found;
    } catch {
      this.database = undefined; // Closed by the browser: the next one opens it again.
      return undefined;
    }
  }

  private touch(database: IDBDatabase, name: string, found: unknown): void {
    const size = found instanceof Uint8Array ? found.length : 0;
    attempt(() => database.transaction(USES, "readwrite").objectStore(USES).put({ at: this.now(), size }, name));
  }

  private remember(name: string, value: Bytes | Files, size: number): void {
    const before = this.memory.get(name);
    if (before instanceof Uint8Array) this.held -= before.length;
    this.memory.delete(name);
    this.memory.set(name, value);
    this.held += size;
    // In memory a third of it at most: the oldest go.
    for (const [old, bytes] of this.memory) {
      if (this.held <= this.bounds.bytes / 3) break;
      if (!(bytes instanceof Uint8Array) || old === name) continue;
      this.held -= bytes.length;
      this.memory.delete(old);
    }
    if (this.mode === "unknown") this.waiting.add(name);
    if (this.mode === "open") void this.write(name, value);
  }

  private write(name: string, value: Bytes | Files): Promise<void> {
    const size = value instanceof Uint8Array ? value.length : 0;
    this.work = this.work.then(async () => {
      const database = await this.open();
      if (!database || this.mode !== "open") return;
      const transaction = database.transaction([FILES, USES], "readwrite");
      transaction.objectStore(FILES).put(value, name);
      transaction.objectStore(USES).put({ at: this.now(), size }, name);
      await ended(transaction);
      // What is on the disk needs no memory; what was verified stays at hand.
      if (name !== "state" && size > 20_000 && this.memory.delete(name)) this.held -= size;
      await this.trim();
    }).catch(() => undefined); // A full disk: the memory has it.
    return this.work;
  }

  private async trim(): Promise<void> {
    const uses = [...(await this.uses())].sort(([, a], [, b]) => b.at - a.at);
    let [bytes, files] = [0, 0];
    const gone = uses.filter(([name, { size }]) => {
      if (name === "state") return false;
      bytes += size;
      return ++files > this.bounds.files || bytes > this.bounds.bytes;
    });
    if (gone.length) await this.erase(gone.map(([name]) => name));
  }

  private async erase(names: readonly string[]): Promise<void> {
    const database = await this.open();
    if (!database || this.mode !== "open") return;
    const transaction = database.transaction([FILES, USES], "readwrite");
    for (const name of names) {
      transaction.objectStore(FILES).delete(name);
      transaction.objectStore(USES).delete(name);
    }
    await ended(transaction);
  }

  private async uses(): Promise<Map<string, Use>> {
    const found = new Map<string, Use>();
    for (const [name, value] of this.memory) {
      found.set(name, { at: this.now(), size: value instanceof Uint8Array ? value.length : 0 });
    }
    const database = await this.open();
    if (!database) return found;
    try {
      const store = database.transaction(USES).objectStore(USES);
      const [names, uses] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      names.forEach((name, i) => found.set(String(name), uses[i] as Use));
    } catch {
      this.database = undefined; // As above.
    }
    return found;
  }

  /** The database; undefined where there is none, and none may be made. */
  private open(): Promise<IDBDatabase | undefined> {
    return (this.database ??= new Promise((resolve) => {
      const request = attempt(() => indexedDB.open(this.name, 1));
      if (!request) return resolve(undefined);
      request.onupgradeneeded = () => {
        // Not made: reading leaves no trace before a page has said that it may.
        if (this.mode !== "open") return request.transaction!.abort();
        for (const store of [FILES, USES]) request.result.createObjectStore(store);
      };
      request.onsuccess = () => {
        request.result.onversionchange = () => {
          request.result.close();
          this.database = undefined;
        };
        resolve(request.result);
      };
      request.onerror = () => resolve(undefined);
    }));
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // Where the browser keeps nothing, there is no database.
  }
}
