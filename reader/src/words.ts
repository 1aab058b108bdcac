// SPDX-License-Identifier: AGPL-3.0-or-later
// Words for people: filled in for one newsroom when its worker or its single file is written.

import type { Code } from "./errors";
import { Said } from "./said";

/** Words of one language in the order of `Said`, a `|` between them; the first is the direction of its
 * script. */
export type Words = string;

export interface Settings {
  name: string;
  /** Of the paper on the web. */
  address: string;
  /** The newsroom's root metadata, exactly. */
  root: string;
  /** Bases of mirrors, each with a final slash. */
  mirrors: string[];
  /** Where each language begins. */
  fronts: Record<string, string>;
  /** Identifier and key of the cohort that this reader is one of; empty: of none. */
  cohort: string;
  words: Record<string, Words>;
}

// People need not be told in which way something is not what was signed.
const ERRORS: Record<Code, Said> = {
  network: Said.errorNetwork,
  missing: Said.errorMissing,
  altered: Said.errorAltered,
  tooLong: Said.errorAltered,
  format: Said.errorAltered,
  signer: Said.errorSigner,
  rollback: Said.errorRollback,
  stale: Said.errorRollback,
};

export class Speech {
  readonly code: string;
  private readonly words: readonly string[];

  /** The first of these languages that there are words for; else English. */
  constructor(settings: Settings, ...languages: readonly string[]) {
    const wanted = languages.flatMap((code) => [code, code.split("-")[0]!]);
    const known = Object.keys(settings.words);
    this.code = [...wanted, "en", ...known].find((code) => settings.words[code]) ?? "en";
    this.words = (settings.words[this.code] ?? "").split("|");
  }

  get direction(): string {
    return this.say(Said.dir);
  }

  /** `values` take the places of `{name}`. */
  say(key: Said, values: Record<string, string> = {}): string {
    return (this.words[key] ?? "").replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
  }

  /** What went wrong. */
  error(code: Code): string {
    return this.say(ERRORS[code]);
  }

  /** “3 days ago”. */
  ago(days: number): string {
    return new Intl.RelativeTimeFormat(this.code).format(-days, "day");
  }

  number(n: number): string {
    return new Intl.NumberFormat(this.code).format(n);
  }

  /** “22 November 2026”, of milliseconds since 1970 or of `2026-11-22`. */
  day(when: number | string): string {
    const zone = typeof when === "string" ? { timeZone: "UTC" } : {};
    const code = this.code === "en" ? "en-GB" : this.code;
    return bare(new Intl.DateTimeFormat(code, { dateStyle: "long", ...zone }).format(new Date(when)));
  }

  /** The same with the time of day. */
  moment(when: number): string {
    const code = this.code === "en" ? "en-GB" : this.code;
    return bare(new Intl.DateTimeFormat(code, { dateStyle: "long", timeStyle: "short" }).format(when));
  }
}

/** Russian and its neighbours write “г.” after the year in letters, not in newspapers. */
function bare(words: string): string {
  return words.replace(/\s[гр]\.(?=\s|$)/g, "");
}
