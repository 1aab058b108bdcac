// SPDX-License-Identifier: AGPL-3.0-or-later
// Which mirror is asked, and in which order.
//
// What always holds: nothing that a mirror sends is believed here; whom to ask next is all that
// its behaviour decides. Trouble is forgiven with time. No address of a reader is kept.
//
// Some networks freeze a connection after some 16 kB, so no host is to carry more than `LOAD`
// bytes in a short time, as long as there is another.

import type { Bytes } from "./bytes";
import { fail, is } from "./errors";
import { mirror, single, type Fetch, type Patience, type Source } from "./fetching";
import { race } from "./race";
import { inSlices, SLICE } from "./slices";

export const STALL = 3_000;
export const LOAD = 14_000;
const LOAD_LASTS = 60_000;
const FORGIVEN = 600_000; // Half of the trouble is forgotten in this time.
const ALIVE = 15_000;
const IMPATIENCE = 1_000;
const PACE = 8; // Bytes a millisecond below which a second mirror is asked too;
const DRAGS = 5_000; // for what is large, milliseconds: what is cut off has ended by then (`STALL`).

/** What is remembered of a mirror: how much trouble it made, until when that was counted, and
 * when it last worked (milliseconds since 1970; 0: never). */
export interface Health {
  trouble: number;
  counted: number;
  worked: number;
}

export interface Host extends Health {
  /** The base under which `metadata/` lies, with a final slash. */
  url: string;
  /** True of the address that the reader opened. */
  own: boolean;
  fetch: Fetch;
  /** The same for a part of each file, from a byte on and up to another; not every host can. */
  part: ((from: number, to: number) => Fetch) | undefined;
  /** Bytes that it carried lately, and when last. */
  load: number;
  used: number;
  rank: number;
}

export interface HostsOptions {
  now: () => number;
  random: () => number;
  patience: Partial<Patience>;
}

export class Hosts {
  private readonly hosts = new Map<string, Host>();
  /** Until when large files are asked for in slices. */
  private narrow = 0;
  private readonly options: HostsOptions;

  constructor(
    private readonly own: string,
    options: Partial<HostsOptions> = {},
  ) {
    this.options = { now: Date.now, random: Math.random, patience: {}, ...options };
  }

  /** Adds mirrors; those known already stay as they are. */
  add(urls: Iterable<string>): void {
    const patience = { stall: STALL, ...this.options.patience };
    const fetch = patience.fetch ?? globalThis.fetch.bind(globalThis);
    for (const url of urls) {
      this.addFetch(url, mirror(url, patience), (from, to) => {
        const headers = { range: `bytes=${from}-${to - 1}` };
        const cut: typeof fetch = (address, init) => fetch(address, { ...init, headers });
        return mirror(url, { stall: STALL / 2, fetch: cut });
      });
    }
  }

  /** Adds what is read like a mirror. */
  addFetch(url: string, fetch: Fetch, part?: Host["part"]): void {
    if (this.hosts.has(url)) return;
    const own = url === this.own;
    const nothing = { trouble: 0, counted: 0, worked: 0, load: 0, used: 0 };
    // The address that was opened knows of its reader anyway; of the others, each reader has
    // an order of its own.
    this.hosts.set(url, { url, own, fetch, part, rank: own ? -1 : this.options.random(), ...nothing });
  }

  all(): Host[] {
    return [...this.hosts.values()];
  }

  /** Whom to ask for so many bytes, best first. */
  order(bytes = 0): Host[] {
    const now = this.options.now();
    const cost = new Map(this.all().map((host) => [host, this.cost(host, bytes, now)]));
    return this.all().sort((a, b) => cost.get(a)! - cost.get(b)! || a.rank - b.rank);
  }

  worked(host: Host, bytes: number): void {
    this.carried(host, bytes);
    this.count(host, 0, 0.5);
  }

  carried(host: Host, bytes: number): void {
    const now = this.options.now();
    host.load = (now - host.used < LOAD_LASTS ? host.load : 0) + bytes;
    host.used = host.worked = now;
  }

  failed(host: Host, error: unknown): void {
    if (!is(error)) return;
    this.count(host, { missing: 0.5, network: 2, stale: 0.5, rollback: 1 }[error.code as string] ?? 4);
  }

  /** It took longer than it should, and another is asked too. */
  late(host: Host): void {
    this.count(host, 1);
  }

  /** Another network: what made trouble there may work here. */
  forgive(): void {
    for (const host of this.all()) host.trouble = 0;
  }

  remember(): Record<string, Health> {
    return Object.fromEntries(
      this.all()
        .filter((host) => host.counted)
        .map(({ url, trouble, counted, worked }) => [url, { trouble, counted, worked }]),
    );
  }

  recall(known: Record<string, Health>): void {
    for (const host of this.all()) {
      const { trouble = 0, counted = 0, worked = 0 } = known[host.url] ?? {};
      Object.assign(host, { trouble: Number(trouble) || 0, counted: Number(counted) || 0, worked: Number(worked) || 0 });
    }
  }

  /** A source of all of them. `from` hears who had it. */
  source(from: (host: Host) => void = () => undefined): Source {
    return { get: (names, limit, check, signal) => this.get(names, limit, check, signal, from) };
  }

  private async get<T>(
    names: readonly string[],
    limit: number,
    check: (bytes: Bytes) => Promise<T>,
    signal: AbortSignal | undefined,
    from: (host: Host) => void,
  ): Promise<T> {
    const bytes = expected(names, limit);
    const large = bytes > LOAD;
    const order = this.order(bytes);
    // Of what is large only one mirror is asked: where that is cut off, so would the next be. Where it
    // only drags on, the others are asked too.
    const whole = (only?: Host): Promise<T> => {
      let open = !only;
      const run = async (host: Host, stop: AbortSignal): Promise<T> => {
        if (!open && host !== only) fail("missing", "");
        return this.ask(host, bytes, stop, async () => {
          const value = await single(host.fetch).get(names, limit, check, stop);
          if (!stop.aborted) from(host);
          return value;
        });
      };
      return race(order, run, large ? DRAGS : IMPATIENCE + bytes / PACE, signal, (host) => {
        open = true;
        this.late(host);
      });
    };
    if (limit <= SLICE || !names[0]!.startsWith("objects/")) return whole();
    const sliced = async (begun?: Uint8Array): Promise<T> =>
      check(await inSlices(this, names.at(-1)!, limit, signal, begun));
    let begun: Uint8Array | undefined;
    try {
      if (large && this.narrow > this.options.now()) return await sliced();
      return await whole(large ? order[0] : undefined);
    } catch (error) {
      // Did anybody carry anything just now? Else there is no narrow network but none.
      const cut = is(error, "network") && order.some((host) => this.options.now() - host.worked < ALIVE);
      if (!is(error) || signal?.aborted || (!cut && !large)) throw error;
      if (!cut) return whole();
      begun = error.part;
    }
    try {
      // What had come of the whole need not come again, unless it was false.
      const value = await sliced(begun).catch(() => sliced());
      this.narrow = this.options.now() + FORGIVEN;
      order[0]!.trouble = 0; // It was the network.
      return value;
    } catch (error) {
      if (!is(error) || signal?.aborted) throw error;
      return whole(); // A mirror that knows no slices, or one that lied in its own.
    }
  }

  /** Runs what asks a host, and counts how it went; what was stopped from here counts for nothing. */
  async ask<T>(host: Host, bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      const value = await work();
      if (!signal.aborted) this.worked(host, bytes);
      return value;
    } catch (error) {
      if (!signal.aborted) this.failed(host, error);
      throw error;
    }
  }

  private cost(host: Host, bytes: number, now: number): number {
    const load = (now - host.used < LOAD_LASTS ? host.load : 0) + bytes;
    const trouble = Math.round(this.trouble(host, now));
    // Trouble weighs most, then too much load, then how much.
    return trouble * 1e9 + (load > LOAD ? load : 0);
  }

  private trouble(host: Host, now: number): number {
    return host.trouble * 2 ** (-Math.max(0, now - host.counted) / FORGIVEN);
  }

  private count(host: Host, more: number, keep = 1): void {
    const now = this.options.now();
    host.trouble = Math.min(32, this.trouble(host, now) * keep + more);
    host.counted = now;
  }
}

/** About how many bytes will travel. */
function expected(names: readonly string[], limit: number): number {
  if (!names[0]!.startsWith("objects/")) return 2_000;
  return names[0]!.endsWith(".br") ? limit / 3 : limit;
}
