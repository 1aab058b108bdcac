// SPDX-License-Identifier: AGPL-3.0-or-later
// A file in slices, each from whichever mirror carried least: for networks that freeze a
// connection after some 16 kB.
//
// What is not done here: checking the whole; who puts slices of several mirrors together cannot
// know which of them lied, and asks for the whole from one after the other then.

import { concat, type Bytes } from "./bytes";
import { fail } from "./errors";
import type { Hosts } from "./mirrors";
import { race } from "./race";

export const SLICE = 12_000;
const IMPATIENCE = 700;

/** `begun` is the beginning, where that is there. Throws where a slice cannot be had from anybody. */
export async function inSlices(
  hosts: Hosts,
  name: string,
  length: number,
  signal: AbortSignal | undefined,
  begun: Uint8Array = new Uint8Array(),
): Promise<Bytes> {
  const slices = [begun];
  for (let from = begun.length; from < length; from += SLICE) {
    const size = Math.min(SLICE, length - from);
    const able = hosts.order(size).filter((host) => host.part);
    slices.push(
      await race(
        // Twice: the first time a connection may have carried its fill; it is a new one then.
        [...able, ...able],
        async (host, stop) => {
          const slice = await host.part!(from, from + size)(name, size, stop);
          if (slice.length !== size) fail("altered", name);
          hosts.carried(host, size);
          return slice;
        },
        IMPATIENCE,
        signal,
      ),
    );
  }
  return concat(slices);
}
