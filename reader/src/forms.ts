// SPDX-License-Identifier: AGPL-3.0-or-later
// Letters of readers: any `<form data-letter="KIND">` of a page is checked, sealed in this browser
// and brought to a drop. Its words are the page's (`data-words`).
//
// What always holds:
// - Words leave this browser sealed, or stay in the form: it never says “sent” of what no drop has
//   taken. Where this browser cannot seal, the form is left as it is and works without script.
// - Where the paper's worker is there, the key is the one that the newsroom's holders signed.
// - The same words are one letter, however often they are sent before they arrive.
// - Nothing is kept here.

import { newId, pack, plain, type Fields } from "./letter";
import { post, type Outcome } from "./post";
import { isNative, native, pointOf, seal, type X25519 } from "./seal";
import type { Bytes } from "./bytes";

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const FALLBACK = "/assets/x25519.js";
const WORKER_WAIT = 15_000;

let chosen: Promise<X25519> | undefined;
function exchange(): Promise<X25519> {
  chosen ??= isNative().then(async (known) => {
    if (known) return native;
    return ((await import(FALLBACK)) as { x25519: X25519 }).x25519;
  });
  chosen.catch(() => (chosen = undefined)); // The next try asks again.
  return chosen;
}

/** The key that the holders signed, as the worker proved it: empty where they signed none;
 * undefined where the worker could not tell. */
function signedRecipient(worker: ServiceWorker): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(typeof data?.recipient === "string" ? data.recipient : undefined);
    setTimeout(resolve, WORKER_WAIT, undefined);
    worker.postMessage({ tamizdat: 1, letter: true }, [port2]);
  });
}

function take(form: HTMLFormElement): void {
  const { letter: kind = "", recipient = "", drops = "", lists = "" } = form.dataset;
  const words = JSON.parse(form.dataset["words"] ?? "{}") as Record<string, string>;
  const status = form.querySelector<HTMLElement>("[data-said]")!;
  const button = form.querySelector<HTMLButtonElement>("button:not([type=button])")!;
  let sending = false;
  let last: { text: string; id: string; sealed: Bytes } | undefined;

  form.noValidate = true;
  fillFromAddress(form);
  tell("ready");
  form.addEventListener("focusin", () => void exchange().catch(() => undefined), { once: true });
  form.addEventListener("input", ({ target }) => clear(target as Field));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending || !check()) return;
    busy(true);
    send()
      .catch((): "broken" => "broken")
      .then((outcome) => {
        busy(false);
        if (outcome === "done") finish();
        else tell(outcome, true);
      });
  });

  function busy(on: boolean): void {
    sending = on;
    button.setAttribute("aria-disabled", String(on));
    form.setAttribute("aria-busy", String(on));
  }

  function tell(key: string, warn = false): void {
    status.textContent = words[key] ?? "";
    status.classList.toggle("warn", warn);
  }

  async function send(): Promise<Outcome | "key" | "broken"> {
    const { fields, language, trapped } = read(form, lists.split(" "));
    if (trapped) return "done"; // A robot.
    tell("sealing");
    const worker = navigator.serviceWorker?.controller;
    const signed = worker ? await signedRecipient(worker) : "";
    const key = signed === undefined ? "" : signed || recipient;
    if (!pointOf(key)) return "key";
    const x25519 = await exchange().catch(() => undefined);
    if (!x25519) return "unreachable";
    const text = JSON.stringify([key, fields]);
    if (last?.text !== text) {
      const id = newId();
      const packed = pack({ id, kind, language, fields });
      if (!packed) return "large";
      last = { text, id, sealed: await seal(packed, key, x25519) };
    }
    return post(last.sealed, drops.split(" "), { tell });
  }

  /** Whether all can be sent; else says at each field what is wrong, and goes to the first. */
  function check(): boolean {
    const wrong = fieldsOf(form).filter((field) => mark(field, unchosen(field) || fault(field), words));
    if (!wrong.length) return true;
    tell("check", true);
    wrong[0]!.focus();
    return false;
  }

  function finish(): void {
    last = undefined;
    form.reset();
    tell("ready");
    const sent = document.createElement("div");
    sent.className = "sent";
    sent.tabIndex = -1;
    sent.setAttribute("role", "status");
    sent.append(part("h2", words["done"]), part("p", words["done_text"]));
    if (words["again"]) {
      const again = part("button", words["again"]);
      again.addEventListener("click", ({ detail }) => {
        if (detail > 1) return; // The second half of the double click that sent it.
        sent.replaceWith(form);
        fieldsOf(form)[0]?.focus();
      });
      sent.append(again);
    }
    form.replaceWith(sent);
    sent.focus();
  }
}

function part(name: string, text = ""): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function read(form: HTMLFormElement, lists: string[]): { fields: Fields; language: string; trapped: boolean } {
  const fields: Fields = {};
  for (const name of lists) if (name) fields[name] = [];
  for (const [name, given] of new FormData(form)) {
    const value = typeof given === "string" ? plain(given) : "";
    const before = fields[name];
    if (Array.isArray(before)) before.push(value);
    else if (value) fields[name] = value;
  }
  const { website, language, ...rest } = fields;
  return { fields: rest, language: String(language), trapped: Boolean(website) };
}

/** “#story=/en/2026/…”: which page the letter is about. What stands after “#” is sent to nobody. */
function fillFromAddress(form: HTMLFormElement): void {
  const story = new URLSearchParams(location.hash.slice(1)).get("story");
  const field = form.elements.namedItem("story");
  if (story?.startsWith("/") && field instanceof HTMLInputElement && !field.value) field.value = story;
}

function fieldsOf(form: HTMLFormElement): Field[] {
  return [...form.elements].filter(
    (one): one is Field => "maxLength" in one && (one as Field).willValidate && (one as Field).tabIndex >= 0,
  );
}

/** The key of what is wrong with a field; empty: nothing. */
function fault(field: Field): string {
  const value = plain(field.value);
  if (field.required && !value) return "missing";
  const longest = "maxLength" in field ? field.maxLength : -1;
  if (longest > 0 && value.length > longest) return "long";
  if (field.validity.typeMismatch) return "address";
  return field.validity.valid || field.validity.valueMissing ? "" : "wrong";
}

/** The same of the first of several boxes, where none of them is ticked. */
function unchosen(field: Field): string {
  const group = field.form!.querySelectorAll<HTMLInputElement>(`[type=checkbox][name="${field.name}"]`);
  return group[0] === field && ![...group].some((box) => box.checked) ? "choose" : "";
}

/** Says at a field what is wrong with it. */
function mark(field: Field, key: string, words: Record<string, string>): boolean {
  clear(field);
  if (!key) return false;
  const note = part("p", (words[key] ?? "").replace("{n}", String((field as HTMLInputElement).maxLength)));
  note.className = "wrong";
  note.id = `${field.id}-wrong`;
  field.after(note);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-errormessage", note.id);
  field.dataset["described"] = field.getAttribute("aria-describedby") ?? "";
  field.setAttribute("aria-describedby", `${note.id} ${field.dataset["described"]}`.trim());
  return true;
}

function clear(field: Field): void {
  const note = document.getElementById(`${field.id}-wrong`);
  if (!note) return;
  note.remove();
  field.removeAttribute("aria-invalid");
  field.removeAttribute("aria-errormessage");
  field.setAttribute("aria-describedby", field.dataset["described"]!);
}

// Without encryption by the browser (a page in clear) the form goes as it does without script.
if (globalThis.crypto?.subtle) document.querySelectorAll<HTMLFormElement>("form[data-letter]").forEach(take);
