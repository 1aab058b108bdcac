// SPDX-License-Identifier: AGPL-3.0-or-later
// The reader's TUF client as a program that speaks the protocol of the public TUF client
// conformance suite (theupdateframework/tuf-conformance, CLIENT-CLI.md).
//
// It is the reader's own code with three things that the suite asks for and readers do not: other
// kinds of keys, a memory that is written after every step, and age that ends an update.

import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { unbase64, type Bytes } from "../src/bytes";
import type { Verify } from "../src/ed25519";
import { fail } from "../src/errors";
import { mirror } from "../src/fetching";
import { checkHashes, SCHEMES, type Schemes, type Target } from "../src/metadata";
import type { Files, State } from "../src/state";
import { LIMITS, Tuf, type Session } from "../src/tuf";

/** Files of a folder, named as the suite wants them: `root.json`, `timestamp.json`, … */
class FolderState implements State {
  constructor(private readonly folder: string) {}

  async load(): Promise<Files> {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith(".json"));
    const read = async (name: string): Promise<[string, Bytes]> => [
      decodeURIComponent(name.slice(0, -5)),
      await contents(join(this.folder, name)),
    ];
    return new Map(await Promise.all(names.map(read)));
  }

  async save(files: Files): Promise<void> {
    const before = await this.load();
    for (const name of before.keys()) if (!files.has(name)) await rm(this.file(name));
    for (const [name, bytes] of files) {
      if (/^\d+\.root\.json$/.test(name)) continue; // The suite looks for the last root alone.
      await writeFile(`${this.file(name)}.new`, bytes);
      await rename(`${this.file(name)}.new`, this.file(name));
    }
  }

  private file(name: string): string {
    return join(this.folder, `${encodeURIComponent(name)}.json`);
  }
}

async function contents(file: string): Promise<Bytes> {
  return new Uint8Array(await readFile(file));
}

/** The key in a PEM, ready to verify with. */
function pem(algorithm: EcKeyImportParams | RsaHashedImportParams, how: object, spell: (sig: Bytes) => Bytes): Verify {
  return async (key, message, signature) => {
    try {
      const der = unbase64(key.replace(/-----[A-Z ]+-----|\s/g, ""))!;
      const imported = await crypto.subtle.importKey("spki", der, algorithm, false, ["verify"]);
      return await crypto.subtle.verify({ name: algorithm.name, ...how }, imported, spell(signature), message);
    } catch {
      return false;
    }
  };
}

/** ECDSA signatures come as two DER integers and are wanted as two numbers of 32 bytes. */
function flat(der: Bytes): Bytes {
  const first = 4 + der[3]!;
  const numbers = [der.slice(4, first), der.slice(first + 2)];
  const out = new Uint8Array(64);
  numbers.forEach((number, i) => {
    const digits = number.slice(Math.max(0, number.length - 32));
    out.set(digits, 32 * (i + 1) - digits.length);
  });
  return out;
}

const P256 = { name: "ECDSA", namedCurve: "P-256" };
const ecdsa = pem(P256, { hash: "SHA-256" }, flat);
const schemes: Schemes = {
  ...SCHEMES,
  "ecdsa/ecdsa-sha2-nistp256": ecdsa,
  "ecdsa-sha2-nistp256/ecdsa-sha2-nistp256": ecdsa,
  "rsa/rsassa-pss-sha256": pem({ name: "RSA-PSS", hash: "SHA-256" }, { saltLength: 32 }, (signature) => signature),
};

async function open(folder: string): Promise<{ tuf: Tuf; state: State }> {
  const state = new FolderState(folder);
  const options = {
    stale: "refuse",
    schemes,
    limits: { ...LIMITS, root: 512_000, targets: 5_000_000, snapshot: 2_000_000 },
    onStep: (files: Files) => state.save(files),
  } as const;
  return { tuf: await Tuf.open(await contents(join(folder, "root.json")), state, options), state };
}

/** Where the target is kept: one file a path, whatever the path says. */
function place(folder: string, path: string): string {
  return join(folder, encodeURIComponent(path));
}

async function cached(file: string, target: Target): Promise<boolean> {
  try {
    await checkHashes(await contents(file), target, true, file);
    return true;
  } catch {
    return false;
  }
}

async function download(session: Session, path: string, base: string, folder: string): Promise<void> {
  const target = (await session.target(path)) ?? fail("missing", path);
  const file = place(folder, path);
  if (await cached(file, target)) return;
  const [hash] = target.hashes.values();
  const slash = path.lastIndexOf("/") + 1;
  const name = `${path.slice(0, slash)}${hash ?? fail("format", path)}.${path.slice(slash)}`;
  const bytes = await mirror(base)(name, target.length);
  await checkHashes(bytes, target, true, path);
  await mkdir(folder, { recursive: true });
  await writeFile(file, bytes);
}

function slashed(url: string | undefined): string {
  return `${(url ?? fail("format", "arguments")).replace(/\/$/, "")}/`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      "metadata-dir": { type: "string" },
      "metadata-url": { type: "string" },
      "target-name": { type: "string", multiple: true },
      "target-base-url": { type: "string" },
      "target-dir": { type: "string" },
    },
  });
  const [command, root] = positionals;
  const folder = values["metadata-dir"] ?? fail("format", "arguments");
  if (command === "init") {
    await mkdir(folder, { recursive: true });
    return copyFile(root ?? fail("format", "arguments"), join(folder, "root.json"));
  }
  const { tuf } = await open(folder);
  const session = tuf.session(mirror(slashed(values["metadata-url"])));
  await session.refresh();
  if (command === "refresh") return;
  for (const name of values["target-name"] ?? []) {
    await download(session, name, slashed(values["target-base-url"]), values["target-dir"] ?? fail("format", "arguments"));
  }
}

main().catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
