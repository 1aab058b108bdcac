// SPDX-License-Identifier: AGPL-3.0-or-later
// Ed25519 (RFC 8032): by the browser where it can, else by what the caller falls back on (noble.ts,
// a file of its own, so that most readers need not fetch it).
//
// What always holds: a key or a signature that is not in its one canonical form is refused before
// either sees it, so both say the same of every signature.

import { unhex, type Bytes } from "./bytes";
import { fail } from "./errors";

/** Is `signature` one of `message` by the key that is spelt `key`? Never throws. */
export type Verify = (key: string, message: Bytes, signature: Bytes) => Promise<boolean>;

// The order of the group and the prime of the field, least significant byte first.
const ORDER = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")!;
const PRIME = unhex(`ed${"ff".repeat(30)}7f`)!;

function below(number: Uint8Array, bound: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) if (number[i] !== bound[i]) return number[i]! < bound[i]!;
  return false;
}

/** Is the y of this encoded point below the prime? */
function isPoint(bytes: Bytes): boolean {
  const y = bytes.slice();
  y[31]! &= 0x7f;
  return below(y, PRIME);
}

/** The bare operation: 32 bytes, any, 64 bytes. May throw where it refuses. */
export type Operation = (key: Bytes, message: Bytes, signature: Bytes) => Promise<boolean>;

export const native: Operation = async (key, message, signature) => {
  const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", imported, signature, message);
};

let fallback: () => Promise<Operation> = async () => native;

/** Says how to get the operation in a browser that has none. Called at most once, if ever. */
export function fallBackOn(load: () => Promise<Operation>): void {
  fallback = load;
}

/** Whether this browser knows Ed25519: asked once, with the base point as a key. */
let known: Promise<boolean> | undefined;
export function isNative(): Promise<boolean> {
  return (known ??= crypto.subtle
    .importKey("raw", unhex(`58${"66".repeat(31)}`)!, "Ed25519", false, ["verify"])
    .then(() => true, () => false));
}

let chosen: Promise<Operation> | undefined;
async function choose(): Promise<Operation> {
  if (await isNative()) return native;
  return (chosen ??= fallback().catch(() => {
    chosen = undefined; // The next signature asks again.
    return fail("network", "ed25519");
  }));
}

/** Verification with the strictness that is the same everywhere, by an operation. */
export function strictly(choose: () => Promise<Operation>): Verify {
  return async (key, message, signature) => {
    const point = unhex(key);
    if (point?.length !== 32 || signature.length !== 64) return false;
    if (!isPoint(point) || !isPoint(signature.slice(0, 32))) return false;
    if (!below(signature.subarray(32), ORDER)) return false;
    const operation = await choose();
    try {
      return await operation(point, message, signature);
    } catch {
      return false; // Both refuse some keys by throwing.
    }
  };
}

export const verifyEd25519 = strictly(choose);
