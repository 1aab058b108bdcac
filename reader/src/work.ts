// SPDX-License-Identifier: AGPL-3.0-or-later
// Proof of work where a drop asks for it (ALTCHA, version 1): the number that, after the salt, has
// the hash that was asked for.
//
// What always holds: the page stays usable meanwhile, and the work ends.

import { base64, hex, utf8 } from "./bytes";

export interface Challenge {
  algorithm: string;
  challenge: string;
  salt: string;
  signature: string;
  maxnumber?: number;
}

const AT_ONCE = 200;
const SLICE = 30; // Milliseconds before the page has its turn.
const MOST = 1e7;

/** What goes into `?proof=`; undefined where there is no such number. */
export async function solve(asked: Challenge): Promise<string | undefined> {
  const { algorithm, challenge, salt, signature } = asked;
  const most = Math.min(asked.maxnumber ?? 1e6, MOST);
  let began = performance.now();
  for (let first = 0; first <= most; first += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, i) => first + i);
    const digests = await Promise.all(numbers.map((n) => crypto.subtle.digest(algorithm, utf8(salt + n))));
    const found = digests.findIndex((digest) => hex(new Uint8Array(digest)) === challenge);
    if (found >= 0) return base64(utf8(JSON.stringify({ algorithm, challenge, number: first + found, salt, signature })));
    if (performance.now() - began > SLICE) {
      await new Promise((resolve) => setTimeout(resolve));
      began = performance.now();
    }
  }
  return undefined;
}
