// SPDX-License-Identifier: AGPL-3.0-or-later
// Builds what readers run, and what the tests run.
//
//   node build.mjs OUT          the committed files into OUT; says their sizes, fails over budget
//   node build.mjs --tests      the tests and the conformance client into .build/

import { copyFile, readdir, readFile } from "node:fs/promises";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const shared = { bundle: true, format: "esm", target: "es2022", charset: "utf8", logLevel: "warning" };

/** Files that are built for readers: what of, and how many bytes they may have, compressed. */
const PARTS = [
  { name: "verifier.js", entry: "src/index.ts", budget: 8_000 },
  // Only for browsers without Ed25519: before Chrome 137, Firefox 129, Safari 17.
  { name: "ed25519.js", entry: "src/noble.ts", budget: 3_500, format: "iife", globalName: "tamizdatEd25519" },
  // Worker and verifier in one; its first line, the newsroom's own constants, is put in by the paper.
  { name: "sw.js", entry: "src/worker.ts", budget: 13_950, format: "iife" },
  // On pages with a form for letters; what it needs besides in browsers without X25519: before
  // Chrome 133, Firefox 130, Safari 17.
  { name: "forms.js", entry: "src/forms.ts", budget: 10_000, format: "iife" },
  { name: "x25519.js", entry: "src/x25519.ts", budget: 3_500 },
  // The single file, with its page: `tamizdat edition reader` puts them together.
  { name: "reader.js", entry: "src/single.ts", budget: 20_000, format: "iife" },
];

// Names of ours alone, which no browser and no file knows: shortened, so that the worker and words of
// three languages stay within one connection. What is looked for by `"name" in` must not stand here. What is kept on a device must not stand here.
const OURS = `updateTimestamp updateSnapshot updateRoot refreshing stalling dragging readNow checkAge believe attempt
  ageOf absent alive compared obtain optional database controller keeper bounds alone narrow asked waiting resume
  delegations terminating signatures snapshot timestamp threshold keyids trusted records session schemes limits hashes
  version expires meta roles paths begun progress saving view seen
  wrong held memory carried moment tuf putJson getJson token pattern onStep outer touch erase uses late learn recall forgive
  failed rank ask addFetch own part used odd gone`;
const mangleProps = new RegExp(`^(${OURS.split(/\s+/).join("|")})$`);

async function parts(out) {
  for (const { name, entry, budget, ...form } of PARTS) {
    await build({
      ...shared,
      ...form,
      entryPoints: [entry],
      outfile: `${out}/${name}`,
      minify: true,
      ...(/forms|25519/.test(name) ? {} : { mangleProps }),
      platform: "browser",
      legalComments: "inline",
      banner: { js: "// SPDX-License-Identifier: AGPL-3.0-or-later\n// Built from reader/src by scripts/build-reader.sh." },
    });
    const built = await readFile(`${out}/${name}`);
    const size = brotliCompressSync(built).length;
    console.log(`${name}: ${built.length} bytes, ${size} compressed with brotli (at most ${budget})`);
    if (name === "reader.js") await copyFile("src/single.html", `${out}/reader.html`);
    if (size > budget) throw new Error(`${name} is over its budget.`);
  }
}

async function tests() {
  const files = (await readdir("test")).filter((name) => /\.test\.ts$|^cost\.ts$/.test(name));
  await build({
    ...shared,
    entryPoints: [...files.map((name) => `test/${name}`), "conformance/client.ts"],
    outdir: ".build",
    outbase: ".",
    outExtension: { ".js": ".mjs" },
    platform: "node",
    packages: "bundle",
    sourcemap: "inline",
  });
}

const [what] = process.argv.slice(2);
if (!what) throw new Error("Say where to build to, or --tests.");
await (what === "--tests" ? tests() : parts(what));
