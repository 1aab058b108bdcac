// SPDX-License-Identifier: AGPL-3.0-or-later
// A newspaper from any of its mirrors: what the worker and the single file both are built upon.
//
// What always holds:
// - What is shown was verified here, now or on a former visit, and says of when it is.
// - What is at hand is shown when nothing newer comes in time; what was never seen waits for the
//   mirrors, until all of them have failed.
//
// What is not done here: requests and answers of a browser, words for people.

import { hex, sha256, utf8, type Bytes } from "./bytes";
import { Edition, type Age, type Found } from "./edition";
import { is, VerifyError } from "./errors";
import type { Source } from "./fetching";
import type { Keeper } from "./keeper";
import { Hosts, type Health, type Host } from "./mirrors";
import { race } from "./race";

const FRESH = 60_000;
const JUST_NOW = 3_000;
/** How long the reader of a page that is at hand waits for a newer edition, and for a page. */
const WAIT = 2_500;
const WAIT_PAGE = 4_000;
/** The newsroom says at least once a day which edition is the present one. */
const DAILY = 26 * 3_600_000;
const IMPATIENCE = 1_000;
const QUIET = 2_000;
const COMPARED = 600_000;
const COMPARING = 20_000;
const MOST_MIRRORS = 16;
/** A volume of a list is named by the month of its first story, which may be withdrawn. */
const VOLUME = /^(\/.+\/)\d{4}-\d\d(-\d+)?\/$/;
/** In clear only to onion services and this machine: whoever has the online key alone shall not
 * make readers ask machines of their own network. */
const ALLOWED = /^(https:|http:\/\/([\w.]+\.onion|localhost|127\.0\.0\.1)[:/])/;

/** Facts of a page that was shown. */
export interface Shown extends Omit<Found, "length"> {
  path: string;
  /** The mirror that had its bytes; empty: this device. */
  host: string;
  /** False where the newsroom's mirrors could not be asked for a newer edition. */
  refreshed: boolean;
}

export interface Answer extends Shown {
  bytes: Bytes;
}

/** There is a page at this path with a slash at its end. */
export interface Elsewhere {
  elsewhere: string;
}

export interface StandOptions {
  root: string;
  keeper: Keeper;
  hosts: Hosts;
  /** True where nobody else is to be asked: for a bundle. */
  alone?: boolean;
  /** Which mirrors are told to this reader besides those for all; see `Settings`. */
  cohort?: string;
  now?: () => number;
}

export class Stand {
  private asked = -Infinity;
  private compared = -Infinity;
  /** Did a mirror answer when they were last asked? */
  refreshed = false;
  private refreshing: Promise<void> | undefined;
  /** Paths proven to be withdrawn or moved: what was kept of them is not shown any more. */
  private readonly gone = new Set<string>();
  private readonly now: () => number;

  private constructor(
    readonly edition: Edition,
    private readonly keeper: Keeper,
    readonly hosts: Hosts,
    private readonly alone: boolean,
    private readonly cohort: string,
    now: (() => number) | undefined,
  ) {
    this.now = now ?? Date.now;
  }

  static async open({ root, keeper, hosts, alone = false, cohort = "", now }: StandOptions): Promise<Stand> {
    const bytes = utf8(root);
    const edition = await Edition.open(bytes, keeper, now ? { now } : {});
    const stand = new Stand(edition, keeper, hosts, alone, cohort, now);
    const known = alone ? [] : await keeper.getJson("mirrors");
    if (Array.isArray(known)) hosts.add(known.filter((url) => typeof url === "string"));
    hosts.recall(((await keeper.getJson("health")) ?? {}) as Record<string, Health>);
    return stand;
  }

  /** Asks the mirrors for a newer edition, where that was not done just now. Throws where nothing
   * is at hand and none has anything. */
  async refresh(force = false): Promise<void> {
    if (!force && this.refreshed && this.now() - this.asked < FRESH) return;
    this.refreshing ??= this.update().finally(() => (this.refreshing = undefined));
    await this.refreshing;
  }

  /** What is to be shown at a path; `anew`: also where the mirrors were asked just now. Throws
   * `VerifyError` where nothing verified can be had. */
  async show(path: string, anew = false, signal?: AbortSignal): Promise<Answer | Elsewhere> {
    const kept = await this.kept(path);
    await this.present(anew);
    const live = this.readNow(path, signal);
    if (!kept) return live;
    const late = (): Answer | undefined =>
      this.gone.has(path) ? undefined : { ...kept, host: "", refreshed: false };
    return soon(live, WAIT_PAGE, late).catch((error: unknown) => {
      const shown = is(error) && late();
      if (shown) return shown;
      throw error;
    });
  }

  /** The key that letters to the newsroom are sealed to, as its holders signed it. */
  async recipient(): Promise<string> {
    await this.present(false);
    return (await this.edition.site(this.source(() => undefined))).recipient;
  }

  /** A page that is not there may have been published this minute. */
  private async readNow(path: string, signal: AbortSignal | undefined): Promise<Answer | Elsewhere> {
    const asked = this.asked;
    const answer = await this.read(path, signal);
    if ("elsewhere" in answer || answer.status !== 404 || this.now() - asked < JUST_NOW) return answer;
    await this.refresh(true);
    return this.asked === asked ? answer : this.read(path, signal);
  }

  /** What was shown last at a path, verified again by its hash. */
  private async kept(path: string): Promise<Answer | undefined> {
    const shown = (await this.keeper.getJson(`page:${path}`)) as Shown | undefined;
    if (!shown || shown.path !== path) return undefined;
    const bytes = await this.keeper.get(objectName(shown.sha256));
    return bytes && hex(await sha256(bytes)) === shown.sha256 ? { ...shown, bytes } : undefined;
  }

  /** What was kept of a page that is no more. */
  private async forget(path: string): Promise<void> {
    const shown = (await this.keeper.getJson(`page:${path}`)) as Shown | undefined;
    if (shown) this.keeper.drop(`page:${path}`, `title:${path}`, objectName(shown.sha256));
  }

  /** Brings the edition up to date, as far as its reader can wait. */
  private async present(anew: boolean): Promise<void> {
    const refreshed = this.refresh(anew);
    if (!this.edition.age) return refreshed;
    await soon(
      refreshed.then(
        () => true,
        () => true,
      ),
      WAIT,
      () => true,
    );
  }

  private async update(): Promise<void> {
    const started = this.now();
    const hosts = this.hosts.order(3_000);
    let reached = false;
    const run = (host: Host, signal: AbortSignal): Promise<void> =>
      this.hosts.ask(host, 3_000, signal, async () => {
        await this.edition.update(host.fetch, signal);
        reached = true;
        // A mirror that stands still says nothing false: another may know more.
        if (this.now() - this.edition.age!.asOf > DAILY) throw new VerifyError("stale", host.url);
      });
    try {
      await race(hosts, run, IMPATIENCE, undefined, (host) => this.hosts.late(host));
    } catch (error) {
      if (!reached) {
        this.refreshed = false;
        if (!this.edition.age) throw error;
      }
    }
    if (reached) {
      this.refreshed = true;
      this.asked = started;
    }
    this.keeper.putJson("health", this.hosts.remember());
    // What the reader waits for goes first.
    if (!this.alone) setTimeout(() => void Promise.all([this.learn(), this.compare()]), QUIET);
  }

  /** The newsroom's present mirrors. */
  private async learn(): Promise<void> {
    try {
      const mirrors = await this.edition.mirrors(this.source(() => undefined), this.cohort);
      const urls = mirrors.filter((url) => ALLOWED.test(url)).slice(0, MOST_MIRRORS);
      this.hosts.add(urls);
      this.keeper.putJson("mirrors", urls);
    } catch (error) {
      if (!is(error)) throw error; // Else: those known already will do.
    }
  }

  /** Asks another mirror now and then: one that is asked alone could stand still for a day before
   * anybody would notice. */
  private async compare(): Promise<void> {
    const others = this.hosts.order().slice(1);
    if (this.now() - this.compared < COMPARED || !others.length) return;
    this.compared = this.now();
    const host = others[Math.floor(Math.random() * others.length)]!;
    const signal = AbortSignal.timeout(COMPARING);
    const work = (): Promise<unknown> => this.edition.update(host.fetch, signal);
    await this.hosts.ask(host, 3_000, signal, work).catch((error: unknown) => {
      if (!is(error)) throw error; // Else: it said nothing of use.
    });
  }

  private async read(path: string, signal: AbortSignal | undefined): Promise<Answer | Elsewhere> {
    let host = "";
    const source = this.source((from) => (host = from));
    const found = await this.edition.find(path, source, signal);
    // Withdrawn, moved or gone: its text goes from this device before the page that says so has come,
    // as a mirror may keep that one back.
    if (found.status === 200) this.gone.delete(path);
    else {
      this.gone.add(path);
      await this.forget(path);
    }
    if (found.status === 404) return this.absent(path, source, found, signal);
    host = "";
    const bytes = await this.edition.bytes(found, source, signal);
    const shown = this.shown(path, found, host);
    if (found.status === 200) this.keeper.putJson(`page:${path}`, shown);
    return { ...shown, bytes };
  }

  /** Nothing is at a path: the same with a slash, the list that had a volume of this month, or the
   * paper's own page that says so. */
  private async absent(
    path: string,
    source: Source,
    found: Found,
    signal: AbortSignal | undefined,
  ): Promise<Answer | Elsewhere> {
    const list = VOLUME.exec(path)?.[1];
    const other = list ?? `${path}/`;
    if (list || (!path.endsWith("/") && !/\.\w+$/.test(path))) {
      const page = await this.edition.find(other, source, signal);
      if (page.status !== 404) return { elsewhere: other };
    }
    for (const name of [`/${path.split("/")[1]}/404.html`, "/404.html"]) {
      const page = await this.edition.read(name, source, signal);
      if (page.status !== 200) continue;
      return { ...this.shown(path, page, ""), status: 404, bytes: page.bytes };
    }
    return { ...this.shown(path, found, ""), bytes: new Uint8Array(0) };
  }

  private shown(path: string, found: Found, host: string): Shown {
    const { length: _, ...facts } = found;
    const { bytes: __, ...rest } = facts as typeof facts & { bytes?: Bytes };
    return { ...rest, path, host, refreshed: this.refreshed };
  }

  /** The device first, then the mirrors; all that has a name for ever is kept. */
  private source(from: (host: string) => void): Source {
    return {
      get: async (names, limit, check, signal) => {
        const name = names.at(-1)!;
        const known = limit ? await this.keeper.get(name) : new Uint8Array(0);
        if (known) {
          try {
            return await check(known);
          } catch (error) {
            if (!is(error)) throw error; // Else: damaged here; a mirror has it.
          }
        }
        const checked = async (bytes: Bytes): Promise<[Bytes, Awaited<ReturnType<typeof check>>]> => [
          bytes,
          await check(bytes),
        ];
        const heard = (host: Host): void => from(host.url);
        const [bytes, value] = await this.hosts.source(heard).get(names, limit, checked, signal);
        this.keeper.put(name, bytes);
        return value;
      },
    };
  }
}

export type { Age };

function objectName(sha256: string): string {
  return `objects/${sha256.slice(0, 2)}/${sha256}`;
}

/** What `work` gives, or after so many milliseconds what `late` says. */
/** What `late` has when the work takes longer; where it has nothing, the work is waited for. */
async function soon<T>(work: Promise<T>, milliseconds: number, late: () => T | undefined): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waited = new Promise<T>((resolve) => {
    timer = setTimeout(() => {
      const had = late();
      if (had !== undefined) resolve(had);
    }, milliseconds);
  });
  work.catch(() => undefined);
  return Promise.race([work, waited]).finally(() => clearTimeout(timer));
}
