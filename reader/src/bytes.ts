// SPDX-License-Identifier: AGPL-3.0-or-later
// Bytes and their spellings. Nothing here knows what the bytes mean.

import { fail } from "./errors";

/** Bytes in a buffer of their own, which is what WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += (byte + 256).toString(16).slice(1);
  return text;
}

/** The bytes of lower- or upper-case hexadecimal digits; undefined where it is not that. */
export function unhex(text: string): Bytes | undefined {
  if (text.length % 2 || /[^0-9a-f]/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

export function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** The bytes of standard base64; undefined where it is not that. */
export function unbase64(text: string): Bytes | undefined {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}

export function utf8(text: string): Bytes {
  return ENCODER.encode(text);
}

/** Text of strictly valid UTF-8; throws `format`. A byte order mark is a character like others. */
export function text(bytes: Uint8Array, subject: string): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    return fail("format", subject);
  }
}

export function concat(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Negative, zero or positive, as `a` sorts before, with or after `b`. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference) return difference;
  }
  return a.length - b.length;
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
