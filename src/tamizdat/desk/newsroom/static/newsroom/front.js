// SPDX-License-Identifier: AGPL-3.0-or-later
// The front's editor: drag or move by keys, find and add, save as an ordinary form.
(() => {
  const form = document.querySelector("[data-front]");
  if (!form) return;
  const pins = form.querySelector("[data-pins]");
  const empty = form.querySelector("[data-empty]");
  const status = form.querySelector("[data-status]");
  const changed = form.querySelector("[data-changed]");
  const found = form.querySelector("[data-found]");
  const find = form.querySelector("[data-find]");
  const blank = document.querySelector("template[data-pin]");
  let dragged = null;
  let dirty = false;

  const rows = () => [...pins.children];
  const headline = (row) => row.querySelector("[data-headline]").textContent;
  const say = (words) => { status.textContent = words; };

  const touched = () => {
    dirty = true;
    changed.hidden = false;
    empty.hidden = rows().length > 0;
  };
  const place = (row) => `${headline(row)}: ${rows().indexOf(row) + 1} of ${rows().length}`;

  const move = (row, by) => {
    const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (by < 0) other.before(row); else other.after(row);
    touched();
    say(place(row));
  };

  pins.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const row = button.closest("li");
    if (button.dataset.do === "out") {
      const next = row.nextElementSibling || row.previousElementSibling;
      say(`${headline(row)}: taken out`);
      row.remove();
      touched();
      (next ? next.querySelector("[data-do=out]") : find).focus();
    } else {
      move(row, button.dataset.do === "up" ? -1 : 1);
      button.focus();
    }
  });

  pins.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const at = document.activeElement;
    move(at.closest("li"), event.key === "ArrowUp" ? -1 : 1);
    at.focus();
  });

  pins.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li");
    dragged.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
  });
  pins.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    const over = event.target.closest("li");
    if (!over || over === dragged) return;
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(dragged); else over.after(dragged);
  });
  pins.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("is-dragged");
    touched();
    say(place(dragged));
    dragged = null;
  });

  const add = (story) => {
    if (rows().some((row) => row.querySelector("input").value === String(story.pk))) {
      say(`${story.headline} is in the list already`);
      return;
    }
    if (rows().length >= Number(form.dataset.limit)) {
      say(`The list holds at most ${form.dataset.limit} stories`);
      return;
    }
    const row = blank.content.querySelector("li").cloneNode(true);
    row.querySelector("input").value = story.pk;
    const link = row.querySelector("[data-headline]");
    link.textContent = story.headline;
    link.href = story.edit;
    row.querySelector("[data-about]").textContent = story.section;
    pins.append(row);
    touched();
    say(`${story.headline}: added at the end`);
  };

  const show = (stories) => {
    found.replaceChildren(...stories.map((story) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button button-small button-secondary";
      button.textContent = "Add";
      button.setAttribute("aria-label", `Add ${story.headline}`);
      button.addEventListener("click", () => add(story));
      const text = document.createElement("span");
      text.textContent = story.headline;
      const about = document.createElement("small");
      about.textContent = story.section;
      item.append(button, text, about);
      return item;
    }));
    if (!stories.length) found.textContent = "No published story has these words.";
  };

  let last = 0;
  let timer = 0;
  const search = async () => {
    const mine = ++last;
    try {
      const url = `${form.dataset.search}&q=${encodeURIComponent(find.value)}`;
      const response = await fetch(url);
      if (!response.ok) throw new Error(String(response.status));
      const data = await response.json();
      if (mine === last) show(data.stories);
    } catch {
      if (mine === last) found.textContent = "The search did not answer. Try again.";
    }
  };
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 200); });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); search(); }
  });
  search();

  form.addEventListener("submit", () => { dirty = false; });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
})();
