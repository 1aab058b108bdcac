// SPDX-License-Identifier: AGPL-3.0-or-later
// A memory that ends with the program: for private reading, and where the browser keeps nothing.

import type { Files, State } from "./state";

export class MemoryState implements State {
  constructor(private files: Files = new Map()) {}

  async load(): Promise<Files> {
    return this.files;
  }

  async save(files: Files): Promise<void> {
    this.files = new Map(files);
  }
}
