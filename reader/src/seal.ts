// SPDX-License-Identifier: AGPL-3.0-or-later
// Seals bytes to one age recipient (age-encryption.org/v1, the X25519 type, binary).
//
// What always holds: whoever holds the recipient's identity can open it, nobody else; each file has
// a file key, an ephemeral secret and a nonce of its own. A recipient that is not one is refused.
//
// What is not done here: what is sealed (letter.ts), where it goes (post.ts), opening.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";

import { base64, concat, utf8, type Bytes } from "./bytes";

/** X25519 (RFC 7748): what 32 secret bytes and 32 bytes of a point give. Throws where they give
 * nothing secret. */
export type X25519 = (secret: Bytes, point: Bytes) => Promise<Bytes>;

/** What must be drawn anew for each file; given only by tests. */
export interface Chance {
  fileKey: Bytes;
  secret: Bytes;
  nonce: Bytes;
}

const CHUNK = 65_536;
const LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const FACTORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
// What stands before the 32 bytes of a secret in PKCS #8 (RFC 8410).
const PKCS8 = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32];
const BASE = Uint8Array.from({ length: 32 }, (_, i) => (i ? 0 : 9));

/** The point of a recipient `age1…`; undefined where it is none. */
export function pointOf(recipient: string): Bytes | undefined {
  if (!/^age1[02-9ac-hj-np-z]{58}$/.test(recipient)) return undefined;
  const digits = [...recipient.slice(4)].map((letter) => LETTERS.indexOf(letter));
  // Bech32 (BIP 173): the checksum is over the prefix “age” too.
  let sum = 1;
  for (const digit of [3, 3, 3, 0, 1, 7, 5, ...digits]) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ digit;
    FACTORS.forEach((factor, i) => (sum ^= (top >> i) & 1 ? factor : 0));
  }
  if (sum !== 1 || digits[51]! & 15) return undefined;
  const bits = digits.slice(0, 52).map((digit) => (digit + 32).toString(2).slice(1)).join("");
  return Uint8Array.from({ length: 32 }, (_, i) => parseInt(bits.slice(8 * i, 8 * i + 8), 2));
}

/** The browser's own. */
export const native: X25519 = async (secret, point) => {
  const { subtle } = crypto;
  const own = await subtle.importKey("pkcs8", concat([Uint8Array.from(PKCS8), secret]), "X25519", false, ["deriveBits"]);
  const other = await subtle.importKey("raw", point, "X25519", false, []);
  return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: other }, own, 256));
};

/** Whether this browser knows X25519: since Chrome 133, Firefox 130, Safari 17. */
export function isNative(): Promise<boolean> {
  return native(BASE, BASE).then(
    () => true,
    () => false,
  );
}

/** The age file. `recipient` must be one (`pointOf`). */
export async function seal(plain: Bytes, recipient: string, x25519: X25519, chance = draw()): Promise<Bytes> {
  const point = pointOf(recipient);
  if (!point) throw new Error("This is no age recipient.");
  const { fileKey, secret, nonce } = chance;
  const share = await x25519(secret, BASE);
  const wrap = await derive(await x25519(secret, point), concat([share, point]), "age-encryption.org/v1/X25519");
  const body = chacha20poly1305(wrap, new Uint8Array(12)).encrypt(fileKey);
  const head = `age-encryption.org/v1\n-> X25519 ${bare(share)}\n${bare(body)}\n---`;
  const key = await crypto.subtle.importKey(
    "raw",
    await derive(fileKey, new Uint8Array(0), "header"),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(head)));
  const chunks = payload(plain, await derive(fileKey, nonce, "payload"));
  return concat([utf8(`${head} ${bare(mac)}\n`), nonce, ...chunks]);
}

function draw(): Chance {
  const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));
  return { fileKey: random(16), secret: random(32), nonce: random(16) };
}

async function derive(key: Bytes, salt: Bytes, info: string): Promise<Bytes> {
  const from = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt, info: utf8(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(how, from, 256));
}

/** Chunks of 64 KiB, each with its number; the last one is marked. Empty only where all is. */
function payload(plain: Bytes, key: Bytes): Uint8Array[] {
  const count = Math.max(1, Math.ceil(plain.length / CHUNK));
  return Array.from({ length: count }, (_, i) => {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(7, i);
    nonce[11] = i + 1 === count ? 1 : 0;
    return chacha20poly1305(key, nonce).encrypt(plain.subarray(i * CHUNK, (i + 1) * CHUNK));
  });
}

function bare(bytes: Uint8Array): string {
  return base64(bytes).replace(/=+$/, "");
}
