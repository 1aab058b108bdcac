// SPDX-License-Identifier: AGPL-3.0-or-later
// What can be wrong with what a mirror sends. Everything in this folder that reads bytes of
// others throws this and nothing else.

/** A closed set: whoever shows errors to people has a sentence for each.
 *
 * - `missing`: the mirror does not have it.
 * - `network`: it could not be fetched, or no progress was made for too long, or the caller stopped it.
 * - `tooLong`: more bytes than this file may have.
 * - `format`: not what the format says.
 * - `altered`: bytes that are not those the newsroom signed.
 * - `signer`: not signed by enough of the keys that may.
 * - `rollback`: older than what this reader has seen.
 * - `stale`: its time is over (only where the caller asked to refuse age).
 */
export type Code =
  | "missing"
  | "network"
  | "tooLong"
  | "format"
  | "altered"
  | "signer"
  | "rollback"
  | "stale";

export class VerifyError extends Error {
  constructor(
    readonly code: Code,
    /** Which file, or which part of it: for details on demand, not for people at large. */
    readonly subject: string,
    /** What had come of a file's beginning, unverified. */
    readonly part?: Uint8Array,
  ) {
    super(`${code}: ${subject}`);
  }
}

export function fail(code: Code, subject: string): never {
  throw new VerifyError(code, subject);
}

/** Is it this error (with this code)? */
export function is(error: unknown, ...codes: Code[]): error is VerifyError {
  return error instanceof VerifyError && (!codes.length || codes.includes(error.code));
}
