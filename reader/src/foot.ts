// SPDX-License-Identifier: AGPL-3.0-or-later
// The line at the foot of a page: what was verified and how old it is, in plain words.

import { Said } from "./said";
import type { Shown } from "./stand";
import type { Speech } from "./words";

const DAY = 86_400_000;
const LATELY = 7 * DAY;

/** What the page shows; it has no words of its own. */
export interface Foot {
  lang: string;
  dir: string;
  /** `warn`: something is not as it should be. */
  mood: "good" | "warn";
  text: string;
  summary: string;
  details: [term: string, value: string][];
  switch: { on: boolean; label: string; text: string };
  /** Words of a button that loads the page again; empty: none. */
  again: string;
}

export interface Surroundings {
  /** The address that was opened. */
  own: string;
  /** Of the root's keys. */
  fingerprint: string;
  mirrors: { worked: number }[];
  secret: boolean;
  now: number;
}

/** `shown` is undefined where the page came by itself, before the reader was there. */
export function foot(shown: Shown | undefined, around: Surroundings, speech: Speech): Foot {
  const { secret } = around;
  return {
    lang: speech.code,
    dir: speech.direction,
    mood: shown && !isWorn(shown) ? "good" : "warn",
    text: shown ? sentences(shown, around, speech).join(" ") : speech.say(Said.first),
    summary: speech.say(Said.details),
    details: shown ? details(shown, around, speech) : [],
    switch: {
      on: secret,
      label: speech.say(Said.private),
      text: speech.say(secret ? Said.privateOn : Said.privateOff),
    },
    again: shown ? "" : speech.say(Said.again),
  };
}

function isWorn(shown: Shown): boolean {
  return shown.stale || !shown.refreshed;
}

function sentences(shown: Shown, around: Surroundings, speech: Speech): string[] {
  const days = Math.floor((around.now - shown.asOf) / DAY);
  const date = speech.day(shown.asOf);
  const said = [speech.say(shown.status === 404 ? Said.verifiedAbsent : Said.verified)];
  said.push(speech.say(days > 0 ? Said.asofOld : Said.asof, { date, ago: speech.ago(days) }));
  if (shown.changedAfterSealing) said.push(speech.say(Said.changed, { date: speech.day(shown.changedDay) }));
  if (shown.stale) said.push(speech.say(Said.stale));
  else if (!shown.refreshed) said.push(speech.say(Said.unrefreshed));
  return said;
}

function details(shown: Shown, around: Surroundings, speech: Speech): [string, string][] {
  const sealed = shown.index === "archive" && shown.sealedDay;
  const working = around.mirrors.filter((mirror) => around.now - mirror.worked < LATELY).length;
  const rows: [Said, string][] = [
    [Said.edition, `${speech.number(shown.edition)} · ${speech.moment(shown.built)}`],
    [Said.confirmed, speech.moment(shown.asOf)],
    [Said.from, from(shown, around, speech)],
    [Said.kind, sealed ? speech.say(Said.sealed, { date: speech.day(sealed) }) : speech.say(Said.live)],
  ];
  if (shown.changedAfterSealing && shown.sealedDay) rows.push([Said.sealedOn, speech.day(shown.sealedDay)]);
  rows.push([Said.mirrors, `${speech.number(working)} / ${speech.number(around.mirrors.length)}`]);
  rows.push([Said.key, around.fingerprint]);
  return rows.map(([key, value]) => [speech.say(key), value]);
}

function from(shown: Shown, around: Surroundings, speech: Speech): string {
  if (!shown.host) return speech.say(Said.fromHere);
  if (shown.host.startsWith("bundle:")) return speech.say(Said.singleFrom);
  const host = new URL(shown.host).host;
  return speech.say(shown.host === around.own ? Said.fromOwn : Said.fromMirror, { host });
}
