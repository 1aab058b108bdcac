// SPDX-License-Identifier: AGPL-3.0-or-later

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { utf8 } from "../src/bytes";
import { is } from "../src/errors";
import { canonical, parse, type Json } from "../src/json";

const read = (text: string): Json => parse(utf8(text), "test");
const refused = (text: string): void => assert.throws(() => read(text), (error) => is(error, "format"), text);
const plain = (text: string): string => new TextDecoder().decode(canonical(read(text)));

test("canonical JSON is what securesystemslib writes", () => {
  // What its encode_canonical gave for the same documents.
  assert.equal(plain('{"b": 1, "a": [true, false, null, -5, 0]}'), '{"a":[true,false,null,-5,0],"b":1}');
  assert.equal(plain('{"\\u00e9\\"\\\\": "x\\n\\t\\u0001/\\u00e9"}'), '{"é\\"\\\\":"x\n\t\u0001/é"}');
  assert.equal(plain('{"\\uffff":1,"\\ud800\\udc00":2,"z":3,"":4}'), '{"":4,"z":3,"\uffff":1,"\u{10000}":2}');
  assert.equal(plain('{"a":{"b":{"c":[]}},"A":{}}'), '{"A":{},"a":{"b":{"c":[]}}}');
});

test("what two readers could read in two ways is refused", () => {
  const cases = ['{"a":1,"a":2}', '{"__proto__":1,"__proto__":2}', "1.0", "1e3", "-0.0", "01", "9007199254740992", '"\\ud800"'];
  const broken = ["", " ", "{", "[1,]", '{"a":1,}', "{a:1}", "nul", "nulll", "[1 2]", '"\n"', '"\\x"', "[1]]", "\ufeff1", "+1"];
  for (const text of [...cases, ...broken]) refused(text);
});

test("names of members mean nothing to the language", () => {
  const object = read('{"__proto__":{"polluted":1},"constructor":2,"toString":3}') as Record<string, Json>;
  assert.equal(Object.keys(object).length, 3);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("nesting has an end, whatever the document's size", () => {
  refused("[".repeat(60_000));
  refused("[".repeat(40) + "]".repeat(40));
  assert.ok(read("[".repeat(30) + "]".repeat(30)));
  refused('{"a":'.repeat(10_000) + "1" + "}".repeat(10_000));
});

test("long text is read", () => {
  const long = "é".repeat(30_000);
  assert.equal(read(JSON.stringify(long)), long);
});

test("bytes that are not UTF-8 are refused", () => {
  const overlong = Uint8Array.of(34, 0xc0, 0x80, 34);
  assert.throws(() => parse(overlong, "test"), (error) => is(error, "format"));
});

const document = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 6 },
    fc.string({ unit: "grapheme" }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("json")),
    fc.dictionary(fc.string({ unit: "grapheme" }), tie("json")),
  ),
})).json;

test("whatever is written is read again, and its canonical form says the same", () => {
  fc.assert(
    fc.property(document, (value) => {
      const text = JSON.stringify(value);
      const again = read(text);
      assert.equal(JSON.stringify(again), text);
      assert.deepEqual(canonical(again), canonical(read(JSON.stringify(again, null, 1))));
    }),
  );
});

test("any bytes are read or refused as a format, and as JSON reads them", () => {
  const token = fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', '"\\u0041"', "1", "-", ".5", "true", "null", " ", "\\");
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
      const text = tokens.join("");
      let mine: Json | undefined;
      try {
        mine = read(text);
      } catch (error) {
        assert.ok(is(error, "format"));
        return;
      }
      assert.equal(JSON.stringify(mine), JSON.stringify(JSON.parse(text)));
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        parse(new Uint8Array(bytes), "test");
      } catch (error) {
        assert.ok(is(error, "format"));
      }
    }),
  );
});
