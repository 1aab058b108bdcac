// SPDX-License-Identifier: AGPL-3.0-or-later
// What it costs to prove a page: milliseconds of CPU, medians and the worst. Run: node .build/test/cost.mjs

import { native, strictly } from "../src/ed25519";
import { Edition } from "../src/edition";
import { single } from "../src/fetching";
import { verify as noble } from "../src/noble";
import { SCHEMES } from "../src/metadata";
import { MemoryState } from "../src/state-memory";
import { blob, folder, vectors } from "./vectors";

const fetch = folder("second");
const PATH = "/2026/pier-9/";

async function median(times: number, work: () => Promise<unknown>): Promise<string> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(start);
    taken.push((user + system) / 1000);
  }
  taken.sort((a, b) => a - b);
  return `${taken[times >> 1]!.toFixed(2)} ms, at worst ${taken.at(-1)!.toFixed(2)} ms`;
}

async function cold(): Promise<void> {
  const edition = await Edition.open(blob(vectors.root), new MemoryState());
  await edition.update(fetch);
  await edition.read(PATH, single(fetch));
}

const schemes = SCHEMES as Record<string, unknown>;
for (const [name, operation] of [["the browser's Ed25519", native], ["noble", noble]] as const) {
  schemes["ed25519/ed25519"] = strictly(async () => operation);
  console.log(`${name}: a first visit, everything verified: ${await median(60, cold)}`);
  const edition = await Edition.open(blob(vectors.root), new MemoryState());
  await edition.update(fetch);
  console.log(`${name}: a page more: ${await median(60, () => edition.read(PATH, single(fetch)))}`);
}
