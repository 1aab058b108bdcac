// SPDX-License-Identifier: AGPL-3.0-or-later
// Asks how something stands while that can change (a story until it is live, an issue on its way);
// shows what is typed in the preview; lets a form be sent once. Without it everything works: the
// page is looked at again, the server counts once.
(() => {
  "use strict";
  const SELDOM = 10000;
  const box = document.getElementById("pub-state");

  // Tokens are others each time, and say nothing of how it stands.
  const bare = (html) => html.replace(/(name="(?:token|csrfmiddlewaretoken)" value=")[^"]*/g, "$1");

  // The keyboard stays on the same control; where that is gone it goes to the heading, never to
  // another button. What is being sent just now is left alone.
  function put(place, html) {
    if (bare(place.innerHTML) === bare(html) || place.querySelector("form[data-sent]")) return;
    const held = document.activeElement !== place && place.contains(document.activeElement) && document.activeElement;
    place.innerHTML = html;
    if (!held) return;
    const name = held.dataset.focus;
    const same = name && [...place.querySelectorAll("[data-focus]")].find((one) => one.dataset.focus === name);
    (same || place.querySelector("[data-focus-else]") || box.querySelector("[data-focus-else]"))?.focus();
  }

  // Part by part where it comes in parts; what it stands for (an issue that had not begun) goes.
  function show(html) {
    const found = document.createElement("template");
    found.innerHTML = html;
    const parts = [...found.content.querySelectorAll("[data-live]")];
    const here = (part) => box.querySelector(`[data-live="${part.dataset.live}"]`);
    if (parts.length && parts.every(here)) parts.forEach((part) => put(here(part), part.innerHTML));
    else put(box, found.innerHTML);
    for (const old of document.querySelectorAll("[data-until-moved]")) {
      if (old.hidden || !box.firstElementChild) continue;
      const held = old.contains(document.activeElement);
      old.hidden = true;
      if (held) box.querySelector("[data-focus-else]")?.focus();
    }
  }

  async function look(pause) {
    try {
      const answer = document.hidden && pause >= SELDOM
        ? null : await fetch(box.dataset.url, { credentials: "same-origin" });
      if (answer && answer.redirected) return; // Signed out meanwhile.
      if (answer && answer.ok) {
        show(await answer.text());
        const waiting = answer.headers.get("X-Waiting");
        if (waiting !== "yes" && waiting !== "seldom") return;
        pause = waiting === "seldom" ? SELDOM : pause >= SELDOM ? 400 : Math.min(pause * 1.1, 5000);
      }
    } catch {
      // The desk does not answer just now: ask again, later.
      pause = Math.max(pause, Math.min(pause * 2, SELDOM));
    }
    setTimeout(() => look(pause), pause);
  }
  if (box && box.dataset.waiting === "yes") setTimeout(() => look(400), 300);
  if (box && box.dataset.waiting === "seldom") setTimeout(() => look(SELDOM), SELDOM);

  for (const shown of document.querySelectorAll("[data-shows]")) {
    const field = document.getElementById(shown.dataset.shows);
    if (!field) continue;
    const empty = shown.textContent;
    field.addEventListener("input", () => {
      const date = field.type === "datetime-local" && field.value && new Date(field.value);
      shown.textContent = date
        ? date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" })
        : field.value.trim() || empty;
    });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-once]") || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
  });
})();
