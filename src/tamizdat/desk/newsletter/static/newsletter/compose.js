// SPDX-License-Identifier: AGPL-3.0-or-later
// The composer: what is on the page is one person's wish (mine), what the desk last said is base.
// Parts that differ are sent with what they were; a part that somebody else changed meanwhile comes
// back as a conflict and is asked about. Nothing typed is ever taken from the page.
import { dragging } from "./drag.js";
import { picker } from "./picker.js";
import { headings } from "./headings.js";

const root = document.querySelector("[data-compose]");
const given = JSON.parse(document.getElementById("nl-composition").textContent);
const STORIES = "stories";
const LABELS = { subject: "the subject", preheader: "the preheader", note: "the note",
  signed: "the signature", picture: "the picture", picture_caption: "the caption",
  [STORIES]: "which stories stand where" };

const copy = (value) => JSON.parse(JSON.stringify(value ?? null));
const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
const blank = (value) => value === null || value === undefined || value === "" || value === 0;
const find = (selector) => root.querySelector(selector);

const page = {
  base: copy(given.parts),
  mine: copy(given.parts),
  stories: given.stories,
  may: Boolean(given.may),
  conflicts: new Map(),
  undo: [],
};

const say = (words) => { find("[data-say]").textContent = words; };
const saved = (words, bad = false) => {
  const line = find("[data-saved]");
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle("is-bad", bad);
};

// --- What changed.

const noteInput = root.querySelector("[name=note]");
const pictureInput = root.querySelector("[name=picture]");
const note = { raw: null, shown: given.parts.note };

const inStories = (key) => page.mine[STORIES].some((one) => one.items.includes(Number(key)));
const belongs = (part) => !part.includes(":") || inStories(part.split(":")[1]);

const changes = () => {
  const found = [];
  for (const part of Object.keys(page.mine)) {
    if (part === "note" || page.conflicts.has(part) || !belongs(part)) continue;
    const was = page.base[part], is = page.mine[part];
    if (same(was, is) || (blank(was) && blank(is))) continue;
    found.push({ part, was: was ?? "", is });
  }
  if (noteInput && note.raw !== null && noteInput.value !== note.raw && !page.conflicts.has("note")) {
    found.push({ part: "note", was: note.shown, is: noteInput.value });
  }
  return found;
};

// --- Saving.

let timer = 0;
let busy = false;
let pause = 0;
let saves = 0; // What was asked for before a save is out of date after it.
let refused = {};

const token = () => root.querySelector("[name=csrfmiddlewaretoken]").value;
const freshToken = async () => {
  const answer = await fetch(root.dataset.session, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { token: found } = await answer.json();
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = found;
};

const post = async (body, keepalive = false) => fetch(root.dataset.parts, {
  method: "POST",
  keepalive,
  headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token() },
  body: JSON.stringify(body),
});

const later = (after = 700) => {
  clearTimeout(timer);
  if (!page.may) return;
  if (!busy && !pause && changes().length) saved("Not saved yet …");
  timer = setTimeout(save, after);
};

const failed = (words) => {
  pause = Math.min((pause || 1000) * 2, 30000);
  saved(words, true);
  later(pause);
};

async function save() {
  timer = 0;
  if (busy) { later(); return; }
  const sent = changes().filter((one) => !(one.part in refused && same(refused[one.part].is, one.is)));
  if (!sent.length) { settle(); return; }
  busy = true;
  saves += 1;
  saved("Saving …");
  try {
    let answer = await post({ changes: sent });
    if (answer.status === 403) { await freshToken(); answer = await post({ changes: sent }); }
    const said = await answer.json();
    if (answer.ok) { pause = 0; took(said, sent); }
    else if (answer.status === 409) { saved(said.error, true); }
    else failed(said.error_message || said.error || "Not saved. Your words stay on this page; it is tried again.");
  } catch {
    failed("The desk does not answer. Your words stay on this page; it is tried again.");
  } finally {
    busy = false;
  }
  if (!pause && changes().length) later();
}

const settle = () => {
  const words = Object.values(refused).map((one) => one.said);
  if (words.length) saved(`Not saved: ${words[0]}`, true);
  else if (page.conflicts.size) saved("Somebody else changed the same. Decide above.", true);
  else saved("Saved.");
};

const took = (said, sent) => {
  const asked = Object.fromEntries(sent.map((one) => [one.part, one]));
  refused = Object.fromEntries(Object.entries(said.refused)
    .map(([part, words]) => [part, { is: asked[part] && asked[part].is, said: words }]));
  for (const [part, theirs] of Object.entries(said.conflicts)) {
    page.conflicts.set(part, { theirs, by: said.composition.edited.by });
  }
  if (asked.note && !("note" in said.conflicts) && !("note" in said.refused)) {
    note.raw = asked.note.is;
    note.shown = said.composition.parts.note;
  }
  takeIn(said.composition, asked);
  showConflicts();
  settle();
};

// What the desk has now, where the page has no wish of its own.
const takeIn = (composition, asked = {}) => {
  const before = copy(page.base);
  const flags = JSON.stringify(Object.values(page.stories).map((one) => [one.key, one.flag]));
  page.base = composition.parts;
  Object.assign(page.stories, composition.stories);
  for (const [part, value] of Object.entries(page.base)) {
    const wished = asked[part] ? asked[part].is : before[part];
    if (page.conflicts.has(part) || !(part in page.mine) || same(page.mine[part], wished)
      || (blank(page.mine[part]) && blank(wished))) {
      if (!page.conflicts.has(part)) page.mine[part] = copy(value);
    }
  }
  const now = JSON.stringify(Object.values(page.stories).map((one) => [one.key, one.flag]));
  if (!same(before[STORIES], page.base[STORIES]) || flags !== now) list.render();
  fill();
  if (!composition.editable && page.may) {
    page.may = false;
    saved("This issue has moved on: it can no longer be changed. Reload the page.", true);
  }
};

// --- Two people at once.

const wordsOf = (part, value) => {
  if (part === STORIES) {
    return value.map((one) => `${one.title}: ${one.items.map((key) => page.stories[key]?.headline ?? "a story").join("; ") || "nothing"}`).join(" · ");
  }
  if (value === null || value === undefined) return "taken out of the issue";
  const box = document.createElement("template");
  box.innerHTML = String(value); // A template's content runs nothing and loads nothing.
  return box.content.textContent.trim() || "nothing";
};

const labelOf = (part) => {
  if (LABELS[part]) return LABELS[part];
  const [name, key] = part.split(":");
  return `the ${name} of “${page.stories[key]?.headline ?? "a story"}”`;
};

const myWords = (part) => (part === "note"
  ? root.querySelector(".nl-rich [contenteditable=true]")?.innerText ?? "" : wordsOf(part, page.mine[part]));

const decide = (part, theirs) => {
  page.conflicts.delete(part);
  if (theirs && part === "note") { location.reload(); return; }
  if (theirs) page.mine[part] = copy(page.base[part]);
  else if (part === "note") note.shown = page.base.note;
  else if (part.includes(":") && !inStories(part.split(":")[1])) list.add(Number(part.split(":")[1]), 0);
  list.render();
  fill();
  showConflicts();
  later(0);
};

const button = (words, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button button-small button-secondary";
  made.textContent = words;
  made.addEventListener("click", act);
  return made;
};

const conflictBox = ([part, { theirs, by }]) => {
  const box = document.createElement("div");
  const head = document.createElement("p");
  head.textContent = `${by || "Somebody else"} changed ${labelOf(part)} while you did. Nothing is lost: choose.`;
  const both = document.createElement("dl");
  for (const [name, words] of [["Theirs", wordsOf(part, theirs)], ["Yours", myWords(part)]]) {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = words;
    dd.dir = "auto";
    both.append(dt, dd);
  }
  const line = document.createElement("p");
  line.className = "nl-do";
  line.append(button("Take theirs", () => decide(part, true)), button("Keep mine", () => decide(part, false)));
  box.append(head, both, line);
  return box;
};

const showConflicts = () => {
  find("[data-conflicts]").replaceChildren(...[...page.conflicts].map(conflictBox));
};

// --- Fields.

const fields = [...root.querySelectorAll("[data-part]")];
const fill = () => {
  for (const field of fields) {
    const value = page.mine[field.dataset.part] ?? "";
    if (field.value !== value) field.value = value;
  }
  const count = find("[data-count=subject]");
  if (count) count.textContent = `${[...(page.mine.subject ?? "")].length} characters; phones show about 40.`;
};
for (const field of fields) {
  field.addEventListener("input", () => { page.mine[field.dataset.part] = field.value; fill(); later(); });
}

// Wagtail's own fields tell nobody when they change: they are looked at.
const watch = () => {
  if (noteInput) {
    const editor = root.querySelector(".nl-rich [contenteditable=true]");
    if (note.raw === null && editor) {
      note.raw = noteInput.value;
      editor.setAttribute("aria-labelledby", "nl-note-label");
    }
    // Looked at again and again: a save that is due already must not be put off each time.
    if (note.raw !== null && noteInput.value !== note.raw && !timer && !busy) later();
  }
  if (pictureInput) {
    const key = Number(pictureInput.value) || null;
    if (!same(key, page.mine.picture)) { page.mine.picture = key; later(); }
  }
};

// --- Undo.

const undoButton = find("[data-undo]");
const remember = (words) => {
  page.undo.push({ words, stories: copy(page.mine[STORIES]) });
  if (page.undo.length > 30) page.undo.shift();
  showUndo();
};
const showUndo = () => {
  if (!undoButton) return;
  const last = page.undo.at(-1);
  undoButton.disabled = !last;
  undoButton.textContent = last ? `Undo: ${last.words}` : "Undo";
};
const takeBack = () => {
  const last = page.undo.pop();
  if (!last) return;
  page.mine[STORIES] = last.stories;
  list.render();
  found?.refresh();
  showUndo();
  say(`Taken back: ${last.words}`);
  later(0);
};
undoButton?.addEventListener("click", takeBack);

const changed = () => { found?.refresh(); later(); };
const list = headings({ root, page, say, remember, changed, later });
const found = page.may ? picker({ root, page, list, say }) : null;
if (page.may) dragging({ root, list, page });

// --- Suggestions.

const suggest = async () => {
  try {
    const answer = await fetch(root.dataset.suggest, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const said = await answer.json();
    const fresh = said.headings.map((keys) => keys.filter((key) => !inStories(key)));
    const number = fresh.flat().length;
    if (!number) { say("Nothing to suggest: every story since the last issue is picked."); saved("Nothing more to suggest."); return; }
    Object.assign(page.stories, said.stories);
    remember("the suggestions");
    fresh.forEach((keys, at) => page.mine[STORIES][at]?.items.push(...keys));
    list.render();
    say(`${number} stories suggested. Undo takes them out again.`);
    changed();
  } catch {
    saved("No suggestion came. Try again.", true);
  }
};
find("[data-do-suggest]")?.addEventListener("click", async () => { await saveNow(); await suggest(); });

// Suggestions count headings as the desk has them: what is on the page goes there first.
const saveNow = async () => {
  clearTimeout(timer);
  timer = 0;
  for (let tries = 0; busy && tries < 50; tries += 1) await new Promise((done) => { setTimeout(done, 100); });
  await save();
};

// --- Others' changes, corrections and withdrawals come in by themselves.

const look = async () => {
  if (busy || document.hidden || changes().length) return;
  const before = saves;
  try {
    const answer = await fetch(root.dataset.parts, { headers: { Accept: "application/json" } });
    const { composition } = answer.ok ? await answer.json() : {};
    if (composition && saves === before && !changes().length) {
      const staleNote = composition.parts.note !== note.shown;
      takeIn(composition);
      if (staleNote && noteInput) saved(`${composition.edited.by} changed the note. Reload the page to see it.`);
    }
  } catch {
    // The desk does not answer just now: it is asked again.
  }
};

for (const link of root.querySelectorAll("[data-leave]")) {
  link.addEventListener("click", async (event) => {
    if (!changes().length || page.conflicts.size) return;
    event.preventDefault();
    await saveNow();
    location.assign(link.href);
  });
}
// Whoever leaves all the same leaves with the last words on their way.
window.addEventListener("pagehide", () => {
  const sent = page.may ? changes() : [];
  if (sent.length && !busy) post({ changes: sent }, true).catch(() => {});
});
window.addEventListener("beforeunload", (event) => {
  if (page.may && (changes().length || page.conflicts.size)) event.preventDefault();
});

list.render();
fill();
if (page.may) setInterval(watch, 500);
setInterval(look, 10000);
