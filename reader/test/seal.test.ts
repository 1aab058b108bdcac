// SPDX-License-Identifier: AGPL-3.0-or-later
// Letters are sealed as age says, by the browser's own X25519 and by the one for older browsers.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { hex, sha256, text, unhex, utf8, type Bytes } from "../src/bytes";
import { newId, pack, plain } from "../src/letter";
import { isNative, native, pointOf, seal } from "../src/seal";
import { solve } from "../src/work";
import { x25519 } from "../src/x25519";

const OPERATIONS = { native, noble: x25519 };
const bytes = (digits: string): Bytes => unhex(digits)!;

// age's published test vectors (C2SP/CCTV, testdata under CC0): what two of them are made of, by
// the rule that their generator states, and the hash of each file.
const RECIPIENT = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef";
const CHANCE = {
  fileKey: utf8("YELLOW SUBMARINE"),
  secret: bytes("ac5d3f3706e55071d3a604204697b9091b35c6e687dd00da3ac379ac9f742c21"),
  nonce: bytes("eecf62c7ce91b433274e68d4f2f9134c"),
};
const PUBLISHED: [name: string, plain: string, sha256: string][] = [
  ["x25519", "age", "10eb4d4d006859f5034d75db70d43c3761795824f9cf9377edda42172e21211d"],
  ["stream_empty_payload", "", "3145e2396062932b6e04d1c19e28dc3365658ce8d7fe73da536bbb5d42b0cbbb"],
];

for (const [name, operation] of Object.entries(OPERATIONS)) {
  for (const [vector, said, hash] of PUBLISHED) {
    test(`what age's vector ${vector} is made of gives the same file (${name})`, async () => {
      const sealed = await seal(utf8(said), RECIPIENT, operation, CHANCE);
      assert.equal(hex(await sha256(sealed)), hash);
    });
  }

  test(`a share with nothing secret is refused (${name})`, async () => {
    await assert.rejects(async () => operation(CHANCE.secret, new Uint8Array(32)));
  });
}

test("both operations say the same of any secret and any point", async () => {
  const thirtyTwo = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((given) => Uint8Array.from(given));
  await fc.assert(
    fc.asyncProperty(thirtyTwo, thirtyTwo, async (secret, point) => {
      const [one, other] = await Promise.all([native, x25519].map((op) => op(secret, point).then(hex, () => "none")));
      assert.equal(one, other);
    }),
    { numRuns: 60 },
  );
  assert.equal(await isNative(), true);
});

test("each file is another one, and none says who wrote it", async () => {
  const [one, other] = [await seal(utf8("a"), RECIPIENT, native), await seal(utf8("a"), RECIPIENT, native)];
  assert.notDeepEqual(one, other);
  assert.equal(one.length, other.length);
});

test("a recipient with one wrong letter is refused", async () => {
  assert.equal(pointOf(RECIPIENT)?.length, 32);
  const wrong = [...RECIPIENT].slice(4).map((letter, i) => {
    const changed = letter === "q" ? "p" : "q";
    return `${RECIPIENT.slice(0, i + 4)}${changed}${RECIPIENT.slice(i + 5)}`;
  });
  for (const one of [...wrong, "", "age1", RECIPIENT.toUpperCase(), `${RECIPIENT}q`, `age1pq${RECIPIENT.slice(6)}`]) {
    assert.equal(pointOf(one), undefined, one);
    await assert.rejects(async () => seal(utf8("a"), one, native));
  }
});

test("a letter has one of four lengths, and says no more by it", () => {
  const letter = { id: newId(), kind: "message", language: "en", fields: { text: "" } };
  for (const [length, size] of [[1, 2_048], [1_900, 2_048], [2_100, 16_384], [30_000, 65_536], [200_000, 262_144]] as const) {
    const packed = pack({ ...letter, fields: { text: "x".repeat(length) } });
    assert.equal(packed?.length, size);
  }
  assert.equal(pack({ ...letter, fields: { text: "x".repeat(262_144) } }), undefined);
  assert.match(newId(), /^[\w-]{22}$/);
});

test("what cannot be seen and halves of letters do not travel", () => {
  assert.equal(plain(" e\u0301\u0000t\u007f\ud83d\r\nb\tc\r "), "\u00e9t\nb\tc");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (given) => {
      const said = plain(given);
      assert.equal(said, plain(said));
      const packed = pack({ id: newId(), kind: "message", language: "en", fields: { text: said } });
      assert.equal((JSON.parse(text(packed!, "letter")) as { fields: { text: string } }).fields.text, said);
    }),
  );
});

test("the number that a proof of work asks for is found, and the work ends where there is none", async () => {
  const asked = { algorithm: "SHA-256", salt: "ab12?expires=9", signature: "00", maxnumber: 5_000 };
  const challenge = hex(await sha256(utf8("ab12?expires=94321")));
  const solved = JSON.parse(atob((await solve({ ...asked, challenge }))!)) as Record<string, unknown>;
  assert.deepEqual(solved, { algorithm: "SHA-256", challenge, number: 4_321, salt: asked.salt, signature: "00" });
  assert.equal(await solve({ ...asked, challenge: "00" }), undefined);
});
