// SPDX-License-Identifier: AGPL-3.0-or-later
// `site.json` and `mirrors.json` (docs/format/edition-v1.md, section 8). Members that are not
// known here are left out.

import { unhex, type Bytes } from "./bytes";
import { fail } from "./errors";
import { list, object, parseObject, string, strings, type Json, type JsonObject } from "./json";

export interface Mirror {
  /** With a final slash; `https:`, or `http:` for onion services and this machine. */
  url: string;
  cohort: string;
}

export interface Language {
  code: string;
  name: string;
  direction: "ltr" | "rtl";
  front: string;
}

export interface Site {
  name: string;
  address: string;
  languages: Language[];
  entries: string[];
  recipient: string;
  /** From file name to sha-256 in hexadecimal. */
  reader: Map<string, string>;
  seeds: Mirror[];
}

const SITE = "site.json";
const MIRRORS = "mirrors.json";

function format(bytes: Bytes, subject: string): JsonObject {
  const document = parseObject(bytes, subject);
  return document["format"] === 1 ? document : fail("format", subject);
}

function mirrors(value: Json | undefined, subject: string): Mirror[] {
  return list(value, subject).map((item) => {
    const given = object(item, subject);
    const url = string(given["url"], subject);
    if (!/^https?:\/\/[^?#\s]+\/$/.test(url)) fail("format", subject);
    return { url, cohort: string(given["cohort"], subject) };
  });
}

function language(value: Json): Language {
  const given = object(value, SITE);
  return {
    code: string(given["code"], SITE),
    name: string(given["name"], SITE),
    direction: given["direction"] === "rtl" ? "rtl" : "ltr",
    front: string(given["front"], SITE),
  };
}

/** Throws `format`. */
export function readSite(bytes: Bytes): Site {
  const given = format(bytes, SITE);
  const reader = object(given["reader"], SITE);
  return {
    name: string(given["name"], SITE),
    address: string(given["address"], SITE),
    languages: list(given["languages"], SITE).map(language),
    entries: strings(given["entries"], SITE),
    recipient: string(given["recipient"], SITE),
    reader: new Map(Object.keys(reader).map((name) => [name, string(reader[name], SITE)])),
    seeds: mirrors(given["seeds"], SITE),
  };
}

/** Bases of the mirrors of a cohort (its identifier, a space, its key in hexadecimal; empty: of
 * none), then of those for all readers. Throws `format`. */
export async function readMirrors(bytes: Bytes, cohort: string): Promise<string[]> {
  const given = format(bytes, MIRRORS);
  const [id, key] = cohort.split(" ") as [string, string];
  const sealed = given["sealed"] && object(given["sealed"], MIRRORS)[id];
  const own = sealed ? await unseal(string(sealed, MIRRORS), key) : [];
  const common = mirrors(given["mirrors"], MIRRORS).filter((mirror) => !mirror.cohort);
  return [...own, ...common].map((mirror) => mirror.url);
}

async function unseal(sealed: string, key: string): Promise<Mirror[]> {
  const [bytes, secret] = [unhex(sealed), unhex(key)];
  try {
    const opener = await crypto.subtle.importKey("raw", secret!, "AES-GCM", false, ["decrypt"]);
    const how = { name: "AES-GCM", iv: bytes!.slice(0, 12) };
    const opened = new Uint8Array(await crypto.subtle.decrypt(how, opener, bytes!.slice(12)));
    return mirrors(format(opened, MIRRORS)["mirrors"], MIRRORS);
  } catch {
    return []; // Of another key: those for all readers will do.
  }
}
