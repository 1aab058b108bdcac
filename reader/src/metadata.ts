// SPDX-License-Identifier: AGPL-3.0-or-later
// TUF's metadata as data: shapes, signatures, hashes. What may follow what is in tuf.ts.

import { hex, unhex, type Bytes } from "./bytes";
import { verifyEd25519, type Verify } from "./ed25519";
import { fail } from "./errors";
import { canonical, count, list, object, parseObject, string, strings, type JsonObject } from "./json";

/** Ways to sign, by `keytype/scheme`. A key of a way that is not here does not count. */
export type Schemes = Readonly<Record<string, Verify>>;
export const SCHEMES: Schemes = { "ed25519/ed25519": verifyEd25519 };

export interface Key {
  scheme: string;
  public: string;
}
export type Keys = ReadonlyMap<string, Key>;
export interface Role {
  keyids: string[];
  threshold: number;
}
/** Who may sign. */
export interface Signers extends Role {
  keys: Keys;
}
export interface Hashes {
  length: number | undefined;
  /** By the name of the algorithm, in hexadecimal. */
  hashes: ReadonlyMap<string, string>;
}
export interface Meta extends Hashes {
  version: number;
}
export interface Target extends Hashes {
  length: number;
}

interface Metadata {
  bytes: Bytes;
  subject: string;
  version: number;
  /** Milliseconds since 1970. */
  expires: number;
  signed: JsonObject;
  signatures: ReadonlyMap<string, string>;
}
export type Top = "root" | "timestamp" | "snapshot" | "targets";
export interface Root extends Metadata {
  keys: Keys;
  roles: ReadonlyMap<string, Role>;
}
export interface Timestamp extends Metadata {
  snapshot: Meta;
}
export interface Snapshot extends Metadata {
  meta: ReadonlyMap<string, Meta>;
}
export interface Delegation extends Signers {
  name: string;
  terminating: boolean;
  paths: string[] | undefined;
  prefixes: string[] | undefined;
}
export interface Targets extends Metadata {
  targets: ReadonlyMap<string, Target>;
  delegations: Delegation[];
}

/** Milliseconds since 1970 of `2026-11-22T09:30:00Z`; throws `format`. */
export function instant(value: string, subject: string): number {
  const exact = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(exact) ? fail("format", subject) : exact;
}

function mapped<T>(value: JsonObject, read: (item: JsonObject, name: string) => T, subject: string): Map<string, T> {
  return new Map(Object.keys(value).map((name) => [name, read(object(value[name], subject), name)]));
}

function metadata(bytes: Bytes, type: Top, subject: string): Metadata {
  const document = parseObject(bytes, subject);
  const signed = object(document["signed"], subject);
  const signatures = new Map<string, string>();
  for (const item of list(document["signatures"], subject)) {
    const signature = object(item, subject);
    const keyid = string(signature["keyid"], subject);
    if (signatures.has(keyid)) fail("format", subject);
    signatures.set(keyid, string(signature["sig"], subject));
  }
  if (signed["_type"] !== type || !/^1\.\d/.test(string(signed["spec_version"], subject))) fail("format", subject);
  return {
    bytes,
    subject,
    version: count(signed["version"], 1, subject),
    expires: instant(string(signed["expires"], subject), subject),
    signed,
    signatures,
  };
}

function role(value: JsonObject, subject: string): Role {
  const keyids = strings(value["keyids"], subject);
  if (new Set(keyids).size < keyids.length) fail("format", subject);
  return { keyids, threshold: count(value["threshold"], 1, subject) };
}

/** A key of a way to sign that this reader does not know is kept, and verifies nothing. One key
 * under two identifiers would count twice: refused. */
function keys(value: JsonObject, subject: string): Keys {
  const read = (key: JsonObject, name: string): Key => {
    const spelt = object(key["keyval"], subject)["public"];
    return {
      scheme: `${string(key["keytype"], subject)}/${string(key["scheme"], subject)}`,
      public: typeof spelt === "string" ? spelt : name,
    };
  };
  const all = mapped(value, read, subject);
  const different = new Set([...all.values()].map((key) => key.public.toLowerCase()));
  return different.size < all.size ? fail("format", subject) : all;
}

function hashes(value: JsonObject, subject: string): Hashes {
  const given = value["hashes"] === undefined ? {} : object(value["hashes"], subject);
  return {
    length: value["length"] === undefined ? undefined : count(value["length"], 0, subject),
    hashes: new Map(Object.keys(given).map((name) => [name, string(given[name], subject)])),
  };
}

function metas(signed: JsonObject, subject: string): Map<string, Meta> {
  const read = (meta: JsonObject): Meta => ({ ...hashes(meta, subject), version: count(meta["version"], 1, subject) });
  return mapped(object(signed["meta"], subject), read, subject);
}

export function readRoot(bytes: Bytes, subject: string): Root {
  const base = metadata(bytes, "root", subject);
  const roles = mapped(object(base.signed["roles"], subject), (item) => role(item, subject), subject);
  for (const name of ["root", "timestamp", "snapshot", "targets"]) if (!roles.has(name)) fail("format", subject);
  if (base.signed["consistent_snapshot"] !== true) fail("format", subject);
  return { ...base, keys: keys(object(base.signed["keys"], subject), subject), roles };
}

export function readTimestamp(bytes: Bytes, subject: string): Timestamp {
  const base = metadata(bytes, "timestamp", subject);
  return { ...base, snapshot: metas(base.signed, subject).get("snapshot.json") ?? fail("format", subject) };
}

export function readSnapshot(bytes: Bytes, subject: string): Snapshot {
  const base = metadata(bytes, "snapshot", subject);
  return { ...base, meta: metas(base.signed, subject) };
}

export function readTargets(bytes: Bytes, subject: string): Targets {
  const base = metadata(bytes, "targets", subject);
  const target = (item: JsonObject): Target => ({
    ...hashes(item, subject),
    length: count(item["length"], 0, subject),
  });
  const given = base.signed["delegations"];
  return {
    ...base,
    targets: mapped(object(base.signed["targets"], subject), target, subject),
    delegations: given === undefined ? [] : delegations(object(given, subject), subject),
  };
}

function delegations(value: JsonObject, subject: string): Delegation[] {
  const known = keys(object(value["keys"], subject), subject);
  const read = list(value["roles"], subject).map((item): Delegation => {
    const given = object(item, subject);
    const [paths, prefixes] = ["paths", "path_hash_prefixes"].map((name) =>
      given[name] === undefined ? undefined : strings(given[name], subject),
    );
    const name = string(given["name"], subject);
    const terminating = given["terminating"];
    if (!paths === !prefixes || typeof terminating !== "boolean") fail("format", subject);
    if (!name || /^(root|timestamp|snapshot|targets)$/.test(name)) fail("format", subject);
    return { ...role(given, subject), keys: known, name, terminating, paths, prefixes };
  });
  if (new Set(read.map((delegation) => delegation.name)).size < read.length) fail("format", subject);
  return read;
}

/** Who may sign a role of `root`. */
export function signers(root: Root, name: Top): Signers {
  return { ...root.roles.get(name)!, keys: root.keys };
}

/** Throws `signer` unless as many keys as must have signed have; identifiers are there once. */
export async function checkSigned(metadata: Metadata, who: Signers, schemes: Schemes): Promise<void> {
  const message = canonical(metadata.signed);
  let good = 0;
  for (const keyid of who.keyids) {
    const key = who.keys.get(keyid);
    const verify = key && Object.hasOwn(schemes, key.scheme) && schemes[key.scheme];
    const signature = unhex(metadata.signatures.get(keyid) ?? "");
    if (!verify || !signature?.length || !(await verify(key.public, message, signature))) continue;
    if (++good >= who.threshold) return;
  }
  fail("signer", metadata.subject);
}

const ALGORITHMS = new Map([
  ["sha256", "SHA-256"],
  ["sha512", "SHA-512"],
]);

/** Throws `altered` where length or hashes differ; `needed`: or where there is no hash to go by. */
export async function checkHashes(bytes: Bytes, said: Hashes, needed: boolean, subject: string): Promise<void> {
  if (said.length !== undefined && said.length !== bytes.length) fail("altered", subject);
  let checked = false;
  for (const [name, algorithm] of ALGORITHMS) {
    const hash = said.hashes.get(name);
    if (hash === undefined) continue;
    if (hex(new Uint8Array(await crypto.subtle.digest(algorithm, bytes))) !== hash) fail("altered", subject);
    checked = true;
  }
  if (!checked && (needed || said.hashes.size)) fail("altered", subject);
}

/** Does this delegation speak for the target? In patterns `*` and `?` stand for anything but a slash. */
export function speaksFor(delegation: Delegation, target: string, targetHash: string): boolean {
  return delegation.paths
    ? delegation.paths.some((pattern) => matches(pattern, target))
    : delegation.prefixes!.some((prefix) => targetHash.startsWith(prefix));
}

/** Without a regular expression, whose time a pattern could make endless. */
export function matches(pattern: string, path: string): boolean {
  let [p, at, star, from] = [0, 0, -1, 0];
  while (at < path.length) {
    if (pattern[p] === "*") {
      [star, from] = [p++, at];
    } else if (p < pattern.length && (pattern[p] === path[at] || (pattern[p] === "?" && path[at] !== "/"))) {
      p++;
      at++;
    } else if (star >= 0 && path[from] !== "/") {
      [p, at] = [star + 1, ++from];
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
