// SPDX-License-Identifier: AGPL-3.0-or-later
// The browser's own database. One record holds everything, so a save is wholly there or not at all.

import type { Bytes } from "./bytes";
import type { Files, State } from "./state";

const STORE = "verified";

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class IndexedDBState implements State {
  private database: Promise<IDBDatabase> | undefined;

  /** `name`: of the database; one a newsroom. */
  constructor(private readonly name: string) {}

  async load(): Promise<Files> {
    const store = (await this.open()).transaction(STORE).objectStore(STORE);
    const found: unknown = await done(store.get(STORE));
    if (!(found instanceof Map)) return new Map();
    return new Map([...found].filter(([, bytes]) => bytes instanceof Uint8Array) as [string, Bytes][]);
  }

  async save(files: Files): Promise<void> {
    const transaction = (await this.open()).transaction(STORE, "readwrite");
    transaction.objectStore(STORE).put(new Map(files), STORE);
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  }

  /** Leave nothing behind. */
  async forget(): Promise<void> {
    await this.close();
    await done(indexedDB.deleteDatabase(this.name));
  }

  private async close(): Promise<void> {
    const opened = this.database;
    this.database = undefined;
    (await opened?.catch(() => undefined))?.close();
  }

  private open(): Promise<IDBDatabase> {
    const opened = (this.database ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(this.name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => {
        resolve(request.result);
        // Where another page forgets, this one must not hold on to what is to go.
        request.result.onversionchange = () => this.close();
      };
      request.onerror = () => reject(request.error);
    }));
    // A browser may refuse once (a full disk) and not the next time.
    opened.catch(() => (this.database = undefined));
    return opened;
  }
}
