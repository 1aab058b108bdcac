// SPDX-License-Identifier: AGPL-3.0-or-later
// Asking one after the other, and two at most at once.
//
// What always holds: the next is asked as soon as one fails, or when the first has taken longer
// than it should; whoever answers first decides, and the other is told to stop.

import { is, VerifyError, type Code } from "./errors";

export const AT_ONCE = 2;

// What is said when all failed: the most telling of it. That one does not have it says least.
const TELLING: readonly Code[] = ["missing", "network", "stale", "format", "tooLong", "altered", "rollback", "signer"];

/** The more telling of two errors. */
export function telling(a: unknown, b: unknown): unknown {
  if (!is(b)) return b;
  if (!is(a)) return a ?? b;
  return TELLING.indexOf(b.code) > TELLING.indexOf(a.code) ? b : a;
}

/** `run` on `hosts` in their order; `patience`: milliseconds after which a second is asked too.
 * `late` hears at once of those that took longer: others that ask meanwhile can pass them over.
 * Throws what was wrong with all. */
export function race<H, T>(
  hosts: readonly H[],
  run: (host: H, signal: AbortSignal) => Promise<T>,
  patience: number,
  signal?: AbortSignal,
  late: (host: H) => void = () => undefined,
): Promise<T> {
  const waiting = [...hosts];
  const running = new Set<AbortController>();
  return new Promise<T>((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    let worst: unknown;
    const end = (): void => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      for (const controller of running) controller.abort();
    };
    const stop = (): void => {
      end();
      reject(new VerifyError("network", "stopped"));
    };
    const won = (value: T): void => {
      if (over) return;
      end();
      resolve(value);
    };
    const lost = (controller: AbortController, error: unknown): void => {
      if (over) return;
      running.delete(controller);
      worst = telling(worst, error);
      next();
    };
    const next = (): void => {
      clearTimeout(timer);
      if (running.size >= AT_ONCE) return;
      const host = waiting.shift();
      if (host === undefined) {
        if (running.size) return;
        end();
        reject(worst ?? new VerifyError("network", "mirrors"));
        return;
      }
      const controller = new AbortController();
      running.add(controller);
      timer = setTimeout(() => {
        late(host);
        next();
      }, patience);
      run(host, controller.signal).then(
        won,
        (error: unknown) => lost(controller, error),
      );
    };
    if (signal?.aborted) return stop();
    signal?.addEventListener("abort", stop);
    next();
  });
}
