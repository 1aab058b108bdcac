// SPDX-License-Identifier: AGPL-3.0-or-later
// What a reader remembers of a newsroom between visits.

import type { Bytes } from "./bytes";

/** Verified files by name. Small: under 300 kB together. */
export type Files = ReadonlyMap<string, Bytes>;

/** A port. `save` replaces everything that was there, wholly or not at all. */
export interface State {
  load(): Promise<Files>;
  save(files: Files): Promise<void>;
}
