// SPDX-License-Identifier: AGPL-3.0-or-later
// What the worker, the page's line and the single file build upon.

export { Edition, isOf, pathOf } from "./edition";
export type { Age, EditionOptions, Found, IndexName, Page, Update } from "./edition";
export { fallBackOn, isNative, type Operation } from "./ed25519";
export { is, VerifyError, type Code } from "./errors";
export { mirror, single, type Fetch, type Patience, type Source } from "./fetching";
export type { Language, Mirror, Site } from "./site";
export type { Files, State } from "./state";
export { IndexedDBState } from "./state-indexeddb";
export { MemoryState } from "./state-memory";
