// SPDX-License-Identifier: AGPL-3.0-or-later
// What a browser seals is byte for byte what the vectors say, which the desk's tests open.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { base64, hex, sha256, unhex } from "../src/bytes";
import { pack, type Letter } from "../src/letter";
import { native, pointOf, seal } from "../src/seal";
import { x25519 } from "../src/x25519";

interface Vectors {
  recipient: string;
  letters: {
    name: string;
    chance: { file_key: string; secret: string; nonce: string };
    letter: Letter;
    size: number;
    sha256: string;
    sealed?: string;
  }[];
}

const VECTORS = JSON.parse(
  readFileSync(new URL("../../../tests/vectors/submissions/submissions.json", import.meta.url), "utf8"),
) as Vectors;

test("the vectors' recipient is one", () => assert.ok(pointOf(VECTORS.recipient)));

for (const [name, operation] of Object.entries({ native, noble: x25519 })) {
  for (const vector of VECTORS.letters) {
    test(`sealed as the vectors say: ${vector.name} (${name})`, async () => {
      const plain = pack(vector.letter);
      assert.equal(plain?.length, vector.size);
      const { file_key, secret, nonce } = vector.chance;
      const chance = { fileKey: unhex(file_key)!, secret: unhex(secret)!, nonce: unhex(nonce)! };
      const sealed = await seal(plain!, VECTORS.recipient, operation, chance);
      if (vector.sealed) assert.equal(base64(sealed), vector.sealed);
      assert.equal(hex(await sha256(sealed)), vector.sha256);
    });
  }
}
