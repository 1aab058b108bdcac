// SPDX-License-Identifier: AGPL-3.0-or-later
// What the single file saw on a former sitting, so that nobody leads its reader back behind it.
//
// What always holds: what is noted is believed no more than a mirror. On a disk many files share one
// memory, and any of them could have written there: it is verified like an update, from the keys in
// this file on. Pages and their addresses are not noted.

import type { Edition } from "./edition";
import { fail, is } from "./errors";
import type { Fetch } from "./fetching";
import { Keeper } from "./keeper";
import type { Files, State } from "./state";

export class Sightings extends Keeper {
  /** Could it be noted? Undefined before there was anything to note. */
  noted: boolean | undefined;

  /** `disk`: undefined: nothing is noted. */
  constructor(private readonly disk: State | undefined) {
    super("");
  }

  /** Brings an edition to what was seen last. */
  async recall(edition: Edition): Promise<void> {
    try {
      const files = await this.disk?.load();
      if (files?.size) await edition.update(replay(files));
    } catch (error) {
      // Damaged, of other keys, or written by others; or a browser that keeps nothing for files.
      if (!is(error) && !(error instanceof DOMException)) throw error;
    }
  }

  override async save(files: Files): Promise<void> {
    await super.save(files);
    if (!this.disk) return;
    this.noted = await this.disk.save(files).then(
      () => true,
      () => false,
    );
  }
}

/** Noted files under the names that a mirror has for them. */
export function replay(files: Files): Fetch {
  return async (name) => {
    const file = name.replace(/^metadata\//, "").replace(/^targets\/(.*\/)\w{64}\./, "target:$1");
    // A root is one of many; of the others the last is noted.
    const known = files.get(file) ?? files.get(file.replace(/^\d+\.(?!root)|\.json$/g, ""));
    return known ?? fail("missing", name);
  };
}
