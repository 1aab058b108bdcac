// SPDX-License-Identifier: AGPL-3.0-or-later
// Ed25519 for browsers that have none, by noble-ed25519. Give it to `fallBackOn`.
//
// Built as a classic script that sets `tamizdatEd25519`, for pages and for `importScripts`, which a
// worker may call while it is being installed and then for ever after.

import { verifyAsync } from "@noble/ed25519";

import type { Operation } from "./ed25519";

/** As RFC 8032 says, and no laxer. */
export const verify: Operation = (key, message, signature) => verifyAsync(signature, message, key, { zip215: false });
