// SPDX-License-Identifier: AGPL-3.0-or-later
// Indexes as Merkle trees of shards (docs/format/edition-v1.md, sections 4 and 5).
//
// What always holds: what a `Shard` says of a key, also that it has none, is what the signer of
// the record signed.

import { compare, concat, hex, sha256, utf8, type Bytes } from "./bytes";
import { fail } from "./errors";

export const RECORD_LIMIT = 64;
export const SHARD_LIMIT = 64_000;
const KEY = 10;
const ENTRY = 52;
const HASH = 32;
const HEAD = 9;
const MAX_DEPTH = 24;
const LAST_SECOND = 253_402_300_799; // of the year 9999
const FIRST_DAY = Date.UTC(2020, 0, 1);
const DAY = 86_400_000;

export interface IndexRecord {
  depth: number;
  count: number;
  edition: number;
  /** Seconds since 1970. */
  built: number;
  since: number;
  root: Bytes;
}

export interface Entry {
  sha256: Bytes;
  length: number;
  edition: number;
  /** `2026-11-22`, UTC. */
  day: string;
  /** 0: 200, 1: 301, 2: 410, 3: gone. */
  status: number;
  /** Number of the media type. */
  media: number;
}

function view(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function begins(bytes: Bytes, word: string): boolean {
  return !compare(bytes.subarray(0, 4), utf8(word));
}

/** `2026-11-22`, of seconds since 1970. */
export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** Throws `format`. */
export function readRecord(bytes: Bytes, subject: string): IndexRecord {
  if (bytes.length !== 57 || !begins(bytes, "TZI1")) fail("format", subject);
  const at = view(bytes);
  const record = {
    depth: at.getUint8(4),
    count: at.getUint32(5),
    edition: at.getUint32(9),
    built: at.getUint32(13) * 2 ** 32 + at.getUint32(17),
    since: at.getUint32(21),
    root: bytes.slice(25),
  };
  const empty = !record.count && (record.depth || record.root.some((byte) => byte));
  if (record.depth > MAX_DEPTH || record.built > LAST_SECOND || empty) fail("format", subject);
  return record;
}

/** The first 10 bytes of the hash of the path's composed form (NFC). */
export async function keyOf(path: string): Promise<Bytes> {
  return (await sha256(utf8(path.normalize("NFC")))).slice(0, KEY);
}

/** The number of the shard that a key is in: its first `depth` bits. */
export function numberOf(key: Bytes, depth: number): number {
  return view(key).getUint32(0) >>> 8 >>> (24 - depth);
}

export function shardName(record: IndexRecord, number: number): string {
  const digits = number.toString(16).padStart(6, "0");
  return `shards/${hex(record.root)}/${digits.slice(0, 2)}/${digits}`;
}

export class Shard {
  /** Made by `readShard` only. */
  constructor(private readonly entries: Bytes) {}

  /** undefined proves that the index has none, if the key belongs into this shard. */
  find(key: Bytes): Entry | undefined {
    let [low, high] = [0, this.entries.length / ENTRY];
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = compare(this.entries.subarray(middle * ENTRY, middle * ENTRY + KEY), key);
      if (!order) return entry(this.entries.slice(middle * ENTRY, (middle + 1) * ENTRY));
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }
}

function entry(bytes: Bytes): Entry {
  const at = view(bytes);
  return {
    sha256: bytes.slice(KEY, KEY + HASH),
    length: at.getUint32(42),
    edition: at.getUint32(45) & 0xffffff,
    day: dayOf((FIRST_DAY + at.getUint16(49) * DAY) / 1000),
    status: at.getUint8(51) >> 6,
    media: at.getUint8(51) & 63,
  };
}

/** A shard, verified to the record; throws `format` or `altered`. */
export async function readShard(bytes: Bytes, record: IndexRecord, number: number): Promise<Shard> {
  const subject = shardName(record, number);
  const start = HEAD + HASH * record.depth;
  const count = (bytes.length - start) / ENTRY;
  if (!Number.isInteger(count) || count < 0 || !begins(bytes, "TZS1")) fail("format", subject);
  const at = view(bytes);
  if (at.getUint8(4) !== record.depth || at.getUint32(5) !== number) fail("format", subject);
  const entries = bytes.slice(start);
  let node = await sha256(concat([Uint8Array.of(0), entries]));
  for (let level = 0; level < record.depth; level++) {
    const sibling = bytes.subarray(HEAD + HASH * level, HEAD + HASH * (level + 1));
    const right = (number >>> level) & 1;
    node = await sha256(concat([Uint8Array.of(1), right ? sibling : node, right ? node : sibling]));
  }
  if (compare(node, record.root)) fail("altered", subject);
  checkOrder(entries, record.depth, number, subject);
  return new Shard(entries);
}

function checkOrder(entries: Bytes, depth: number, number: number, subject: string): void {
  let before: Bytes = new Uint8Array(0);
  for (let at = 0; at < entries.length; at += ENTRY) {
    const key = entries.subarray(at, at + KEY);
    if (compare(before, key) >= 0 || numberOf(key, depth) !== number) fail("format", subject);
    before = key;
  }
}
