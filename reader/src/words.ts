// SPDX-License-Identifier: AGPL-3.0-or-later
// Words for people: filled in for one newsroom when its worker or its single file is written.

import type { Code } from "./errors";

/** Words of one language, by key; `dir` is `ltr` or `rtl`. See theme/locales/reader/. */
export type Words = Readonly<Record<string, string>>;

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
const SAID: Partial<Record<Code, Code>> = { tooLong: "altered", format: "altered", stale: "rollback" };

export class Speech {
  readonly code: string;
  private readonly words: Words;

  /** The first of these languages that there are words for; else English. */
  constructor(settings: Settings, ...languages: readonly string[]) {
    const wanted = languages.flatMap((code) => [code, code.split("-")[0]!]);
    const known = Object.keys(settings.words);
    this.code = [...wanted, "en", ...known].find((code) => settings.words[code]) ?? "en";
    this.words = settings.words[this.code] ?? {};
  }

  get direction(): string {
    return this.words["dir"] ?? "ltr";
  }

  /** `values` take the places of `{name}`. */
  say(key: string, values: Record<string, string | number> = {}): string {
    const said = this.words[key] ?? key;
    return said.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  }

  /** What went wrong. */
  error(code: Code): string {
    return this.say(`error.${SAID[code] ?? code}`);
  }

  /** “3 days”: the form that the language has for this many, of `key.one`, `key.few` … */
  count(key: string, n: number): string {
    const form = `${key}.${new Intl.PluralRules(this.code).select(n)}`;
    return this.say(this.words[form] === undefined ? `${key}.other` : form, { n: this.number(n) });
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
