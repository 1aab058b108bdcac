// SPDX-License-Identifier: AGPL-3.0-or-later
// JSON that others wrote, and the canonical form of it that TUF signs.
//
// What always holds: a member is named once, nesting has an end, numbers are whole and exact, text
// has no half characters. So two readers never see two things in one document. Objects have no
// prototype: no name of a member means anything to the language.

import { compare, text, utf8, type Bytes } from "./bytes";
import { fail } from "./errors";

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

const DEPTH = 32;
// The tokens of JSON. A string, number or word is decoded by the language's own reader.
const TOKEN = /[ \t\n\r]*(?:([{}[\]:,])|("(?:[^"\\\u0000-\u001f]|\\.)*")|(-?(?:0|[1-9]\d{0,15})(?![\d.eE]))|(true|false|null)(?!\w))/y;

/** Throws something where the document is none; `parse` says it in our words. */
class Reader {
  private token = "";
  private readonly pattern = new RegExp(TOKEN);

  constructor(private readonly source: string) {}

  document(): Json {
    const value = this.value(this.next(), 0);
    return /[^ \t\n\r]/.test(this.source.slice(this.pattern.lastIndex)) ? wrong() : value;
  }

  private next(): string {
    return (this.token = (this.pattern.exec(this.source) ?? wrong())[0].trimStart());
  }

  private value(token: string, depth: number): Json {
    if (depth > DEPTH) wrong();
    if (token === "{") return this.object(depth);
    if (token === "[") return this.list(depth);
    const value = JSON.parse(token) as string | number | boolean | null;
    if (typeof value === "number" && !Number.isSafeInteger(value)) wrong();
    return typeof value === "string" && /\p{Cs}/u.test(value) ? wrong() : value;
  }

  private object(depth: number): JsonObject {
    const object = Object.create(null) as JsonObject;
    if (this.next() === "}") return object;
    for (;;) {
      const name = this.value(this.token, DEPTH);
      if (typeof name !== "string" || name in object || this.next() !== ":") return wrong();
      object[name] = this.value(this.next(), depth + 1);
      if (this.next() === "}") return object;
      if (this.token !== ",") wrong();
      this.next();
    }
  }

  private list(depth: number): Json[] {
    const list: Json[] = [];
    if (this.next() === "]") return list;
    for (;;) {
      list.push(this.value(this.token, depth + 1));
      if (this.next() === "]") return list;
      if (this.token !== ",") wrong();
      this.next();
    }
  }
}

function wrong(): never {
  throw new SyntaxError();
}

/** The document in `bytes`, which must be all of it; throws `format`. */
export function parse(bytes: Uint8Array, subject: string): Json {
  try {
    return new Reader(text(bytes, subject)).document();
  } catch {
    // A stack that ran out is the document's fault as well.
    return fail("format", subject);
  }
}

/** The document as an object; throws `format`. */
export function parseObject(bytes: Uint8Array, subject: string): JsonObject {
  return object(parse(bytes, subject), subject);
}

/** Canonical JSON as OLPC described it and TUF signs it: members sorted by code points, no
 * white space, only the quote and the backslash escaped. */
export function canonical(value: Json): Bytes {
  return utf8(write(value));
}

function write(value: Json): string {
  if (typeof value === "string") return `"${value.replace(/["\\]/g, "\\$&")}"`;
  if (Array.isArray(value)) return `[${value.map(write).join()}]`;
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || !value) return String(value);
  const names = Object.keys(value).sort(byCodePoint);
  return `{${names.map((name) => `${write(name)}:${write(value[name]!)}`).join()}}`;
}

/** Bytes of UTF-8 sort as code points do; the language itself sorts by UTF-16 units. */
function byCodePoint(a: string, b: string): number {
  return compare(utf8(a), utf8(b));
}

// Members of a shape. Each throws `format`, naming the subject.

export function object(value: Json | undefined, subject: string): JsonObject {
  return typeof value === "object" && value && !Array.isArray(value) ? value : fail("format", subject);
}

export function list(value: Json | undefined, subject: string): Json[] {
  return Array.isArray(value) ? value : fail("format", subject);
}

export function string(value: Json | undefined, subject: string): string {
  return typeof value === "string" ? value : fail("format", subject);
}

export function strings(value: Json | undefined, subject: string): string[] {
  return list(value, subject).map((item) => string(item, subject));
}

/** A whole number of at least `least`. */
export function count(value: Json | undefined, least: number, subject: string): number {
  return typeof value === "number" && value >= least ? value : fail("format", subject);
}
