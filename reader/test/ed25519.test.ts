// SPDX-License-Identifier: AGPL-3.0-or-later

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";

import { concat, hex, unhex, utf8, type Bytes } from "../src/bytes";
import { native, strictly, verifyEd25519, type Verify } from "../src/ed25519";
import { verify as noble } from "../src/noble";

const WAYS: [string, Verify][] = [
  ["the browser's own", strictly(async () => native)],
  ["noble", strictly(async () => noble)],
  ["the one that is chosen", verifyEd25519],
];
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes.slice().reverse())}`);
}

function little(value: bigint): Bytes {
  return unhex(value.toString(16).padStart(64, "0"))!.reverse();
}

function signed(message: Bytes): { key: string; signature: Bytes } {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return { key: hex(key), signature: new Uint8Array(sign(null, message, privateKey)) };
}

for (const [name, verify] of WAYS) {
  test(`${name}: RFC 8032's own signatures`, async () => {
    const empty =
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    const one =
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    const keys = [
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ];
    assert.ok(await verify(keys[0]!, new Uint8Array(0), unhex(empty)!));
    assert.ok(await verify(keys[1]!, Uint8Array.of(0x72), unhex(one)!));
    assert.ok(!(await verify(keys[1]!, Uint8Array.of(0x73), unhex(one)!)));
  });

  test(`${name}: a signature has one spelling`, async () => {
    const message = utf8("The bridge is open.");
    const { key, signature } = signed(message);
    const s = little(number(signature.subarray(32)) + ORDER);
    assert.ok(await verify(key, message, signature));
    assert.ok(!(await verify(key, message, concat([signature.subarray(0, 32), s]))));
    assert.ok(!(await verify(key, message, concat([signature, Uint8Array.of(0)]))));
    assert.ok(!(await verify(key, message, signature.slice(0, 63))));
  });

  test(`${name}: a key has one spelling, and no key that fits everything is one`, async () => {
    const message = utf8("The bridge is open.");
    const { signature } = signed(message);
    const wrong = [`01${"00".repeat(31)}`, "00".repeat(32), `ed${"ff".repeat(30)}7f`, `ee${"ff".repeat(31)}`, "zz", ""];
    const forged = concat([Uint8Array.of(1), new Uint8Array(63)]);
    for (const key of wrong.slice(2)) assert.ok(!(await verify(key, message, forged)), key);
    for (const key of wrong) assert.ok(!(await verify(key, message, signature)), key);
  });
}

test("the browser's own and noble say the same of altered signatures", async () => {
  const message = utf8("Some words.");
  const { key, signature } = signed(message);
  const flip = fc.record({ at: fc.nat(63), bit: fc.nat(7) });
  await fc.assert(
    fc.asyncProperty(fc.array(flip, { maxLength: 2 }), async (flips) => {
      const altered = signature.slice();
      for (const { at, bit } of flips) altered[at]! ^= 1 << bit;
      const answers = await Promise.all(WAYS.map(([, verify]) => verify(key, message, altered)));
      assert.equal(new Set(answers).size, 1);
      assert.equal(answers[0], hex(altered) === hex(signature));
    }),
    { numRuns: 60 },
  );
});
