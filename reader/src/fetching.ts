// SPDX-License-Identifier: AGPL-3.0-or-later
// Getting files from one mirror, which may be dead, slow, endless or lying.
//
// What always holds: a download ends, by its size, by standing still, or by dragging on; it ends
// with bytes or with a `VerifyError`. Nothing of the reader is sent along.

import { concat, type Bytes } from "./bytes";
import { fail, is, VerifyError } from "./errors";

/** A port: the file of this name in the folder, at most `limit` bytes. Throws `missing`, `network`
 * or `tooLong`. */
export type Fetch = (name: string, limit: number, signal?: AbortSignal) => Promise<Bytes>;

/** A port: where files come from that can be checked one by one; one mirror, or several.
 *
 * `names` are copies of the same in the order of preference (compressed and plain). What `check`
 * throws means: this copy is bad, try the next, then the next mirror. Throws what was wrong. */
export interface Source {
  get<T>(
    names: readonly string[],
    limit: number,
    check: (bytes: Bytes) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T>;
}

export interface Patience {
  /** Milliseconds in which at least one byte must come. */
  stall: number;
  /** Bytes a second below which, over the whole file, a mirror drags. */
  pace: number;
  fetch: typeof fetch;
}

const PATIENCE: Patience = { stall: 4_000, pace: 1_000, fetch: (...given) => fetch(...given) };
// A storage that does not let its files be listed says 403 where another says 404.
const MISSING = [403, 404, 410];

/** One mirror; `base` is the address under which `metadata/` lies, with a final slash. */
export function mirror(base: string, patience: Partial<Patience> = {}): Fetch {
  const how = { ...PATIENCE, ...patience };
  return async (name, limit, signal) => {
    const ending = new Deadline(how.stall, how.stall * 2 + (limit / how.pace) * 1000, signal);
    try {
      return await download(base + name, name, limit, how, ending);
    } catch (error) {
      if (is(error)) throw error;
      // Browsers do not tell a body that cannot be decompressed from one that broke off. Then
      // another copy may help; it does not where there is no progress.
      const undone = name.endsWith(".br") && ending.begun && !ending.signal.aborted;
      throw new VerifyError(undone ? "altered" : "network", name, concat(ending.chunks));
    } finally {
      ending.over();
    }
  };
}

async function download(url: string, name: string, limit: number, how: Patience, ending: Deadline): Promise<Bytes> {
  const answer = await ending.or(
    how.fetch(url, {
      // What was not verified is kept nowhere: a lie must not outlive the liar, nor leave a trace.
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      redirect: "error",
      signal: ending.signal,
    }),
  );
  ending.begun = true;
  if (!answer.ok) {
    answer.body?.cancel().catch(() => undefined);
    fail(MISSING.includes(answer.status) ? "missing" : "network", name);
  }
  const reader = answer.body?.getReader();
  for (let length = 0; reader; ) {
    const { done, value } = await ending.or(reader.read());
    if (done) break;
    if ((length += value.length) > limit) fail("tooLong", name);
    if (value.length) ending.progress();
    ending.chunks.push(value);
  }
  return concat(ending.chunks);
}

/** Ends what makes no progress, and what the caller no longer wants. Ending frees the connection. */
class Deadline {
  /** Did an answer begin? */
  begun = false;
  /** What has come. */
  readonly chunks: Uint8Array[] = [];
  private readonly controller = new AbortController();
  private readonly ended: Promise<never>;
  private stalling: ReturnType<typeof setTimeout>;
  private readonly dragging: ReturnType<typeof setTimeout>;
  private readonly stop = (): void => this.controller.abort();

  constructor(
    private readonly stall: number,
    longest: number,
    private readonly outer: AbortSignal | undefined,
  ) {
    this.stalling = setTimeout(this.stop, stall);
    this.dragging = setTimeout(this.stop, longest);
    this.ended = new Promise((_, reject) => {
      this.signal.onabort = () => reject(this.signal.reason);
    });
    this.ended.catch(() => undefined);
    if (outer?.aborted) this.stop();
    outer?.addEventListener("abort", this.stop);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Some browsers leave a body's promise open when its request is ended. */
  or<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.ended]);
  }

  progress(): void {
    clearTimeout(this.stalling);
    this.stalling = setTimeout(this.stop, this.stall);
  }

  over(): void {
    clearTimeout(this.stalling);
    clearTimeout(this.dragging);
    this.outer?.removeEventListener("abort", this.stop);
    this.stop();
  }
}

/** A source of one mirror. */
export function single(fetch: Fetch): Source {
  return {
    async get(names, limit, check, signal) {
      let last: unknown;
      for (const name of names) {
        try {
          return await check(await fetch(name, limit, signal));
        } catch (error) {
          // A mirror that cannot be reached has no other copy either.
          if (!is(error, "missing", "altered", "tooLong", "format")) throw error;
          // That a copy is bad says more than that another is not there.
          if (!last || error.code !== "missing") last = error;
        }
      }
      throw last;
    },
  };
}
