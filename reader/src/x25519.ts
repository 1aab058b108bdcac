// SPDX-License-Identifier: AGPL-3.0-or-later
// X25519 for browsers that have none, by noble-curves: the curve's ladder alone, which is a third
// of the whole package.
//
// Built as a module of its own, so that most readers need not fetch it.

import { montgomery } from "@noble/curves/abstract/montgomery.js";
import { pow } from "@noble/curves/abstract/modular.js";

import type { X25519 } from "./seal";

const P = 2n ** 255n - 19n;

const curve = montgomery({
  P,
  type: "x25519",
  powPminus2: (x) => pow(x, P - 2n, P),
  adjustScalarBytes: (bytes: Uint8Array) => {
    // RFC 7748, section 5: the three lowest bits and the highest are 0, the one below it is 1.
    const scalar = Uint8Array.from(bytes);
    scalar[0]! &= 248;
    scalar[31] = (scalar[31]! & 127) | 64;
    return scalar;
  },
});

export const x25519: X25519 = async (secret, point) => Uint8Array.from(curve.scalarMult(secret, point));
