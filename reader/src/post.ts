// SPDX-License-Identifier: AGPL-3.0-or-later
// Brings a sealed letter to the first drop that takes it (docs/format/submission-v1.md, section 4).
//
// What always holds: “done” is said only after a drop said that it lies on its disk. The same
// bytes may reach several drops; the desk acts once on their id. Nothing of the reader is sent along.

import type { Bytes } from "./bytes";
import { solve, type Challenge } from "./work";

/** How it ended: one of these, each with a sentence for people. */
export type Outcome = "done" | "offline" | "unreachable" | "full" | "busy" | "large" | "refused";
/** What is going on meanwhile. */
export type Step = "sending" | "working" | "next";

export interface Way {
  fetch: typeof fetch;
  tell: (step: Step) => void;
  /** Milliseconds without an answer after which a drop is given up: `still`, and one more for each
   * `pace` bytes that have to travel. */
  still: number;
  pace: number;
  isOffline: () => boolean;
}

const WAY: Way = {
  fetch: (...given) => fetch(...given),
  tell: () => undefined,
  still: 8_000,
  pace: 8,
  isOffline: () => navigator.onLine === false,
};
const TRIES = 3; // Of the proof of work, which ages.
// What says most of why it was not taken, first.
const TELLING: Outcome[] = ["full", "busy", "refused"];

interface Said {
  ok?: boolean;
  error?: string;
  challenge?: Challenge;
}

export async function post(sealed: Bytes, drops: readonly string[], way: Partial<Way> = {}): Promise<Outcome> {
  const how = { ...WAY, ...way };
  const outcomes: Outcome[] = [];
  for (const [i, drop] of drops.entries()) {
    how.tell(i ? "next" : "sending");
    const outcome = await offer(sealed, drop, how);
    if (outcome === "done" || outcome === "large") return outcome;
    outcomes.push(outcome);
  }
  const telling = TELLING.find((outcome) => outcomes.includes(outcome));
  return telling ?? (how.isOffline() ? "offline" : "unreachable");
}

async function offer(sealed: Bytes, drop: string, how: Way): Promise<Outcome> {
  let proof = "";
  for (let tries = 0; tries < TRIES; tries++) {
    const said = await ask(`${drop}/v1/sealed${proof}`, sealed, how);
    if (said?.ok === true) return "done";
    if (said?.error === "busy" && said.challenge) {
      how.tell("working");
      const solved = await solve(said.challenge).catch(() => undefined); // No challenge of this kind.
      if (!solved) return "busy";
      proof = `?proof=${encodeURIComponent(solved)}`;
      how.tell("sending");
      continue;
    }
    return outcomeOf(said?.error);
  }
  return "busy";
}

function outcomeOf(error: string | undefined): Outcome {
  switch (error) {
    case "too-large":
      return "large";
    case "busy":
    case "full":
      return error;
    case "malformed":
    case "unknown":
      return "refused";
    default:
      return "unreachable"; // Somebody else answered, or nobody.
  }
}

/** What the drop said; undefined where it said nothing that a drop says. */
async function ask(url: string, body: Bytes, how: Way): Promise<Said | undefined> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), how.still + body.length / how.pace);
  try {
    const answer = await how.fetch(url, {
      method: "POST",
      body,
      // No question beforehand (CORS preflight), which would cost a round trip more.
      headers: { "content-type": "text/plain" },
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      redirect: "error",
      signal: stop.signal,
    });
    const said: unknown = await answer.json();
    return typeof said === "object" && said !== null ? said : undefined;
  } catch {
    return undefined; // Blocked, silent, or no JSON: no drop.
  } finally {
    clearTimeout(timer);
  }
}
