// SPDX-License-Identifier: AGPL-3.0-or-later
// Asks where a story stands until it is live; shows what is typed in the preview; lets a form be
// sent once. Without it everything works: the page is looked at again, the server counts once.
(() => {
  "use strict";
  const box = document.getElementById("pub-state");

  async function look(pause) {
    try {
      const answer = await fetch(box.dataset.url, { credentials: "same-origin" });
      if (answer.ok) {
        const html = await answer.text();
        if (html !== box.innerHTML) box.innerHTML = html;
        if (answer.headers.get("X-Waiting") !== "yes") return;
      }
    } catch {
      // The desk does not answer just now: ask again, later.
      pause = Math.min(pause * 2, 10000);
    }
    setTimeout(() => look(Math.min(pause * 1.1, 5000)), pause);
  }
  if (box && box.dataset.waiting === "yes") setTimeout(() => look(400), 300);

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

  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
  });
})();
