// SPDX-License-Identifier: AGPL-3.0-or-later
// Published stories to pick from: the newest first, found by words, more on request.
export const picker = ({ root, page, list, say }) => {
  const found = root.querySelector("[data-found]");
  const find = root.querySelector("[data-find]");
  const more = root.querySelector("[data-more]");
  const blank = root.querySelector("[data-found-template]");
  let shown = [];
  let number = 1;
  let last = 0;
  let timer = 0;

  const row = (card) => {
    const item = blank.content.firstElementChild.cloneNode(true);
    item.dataset.pick = card.key;
    const link = item.querySelector("[data-headline]");
    link.textContent = card.headline;
    link.href = card.edit;
    const there = list.where(card.key);
    item.querySelector("[data-about]").textContent = [card.section, card.day, there && "in this issue"].filter(Boolean).join(" · ");
    const menu = item.querySelector("[data-add]");
    menu.replaceChildren(...list.options("Add to …"));
    menu.disabled = Boolean(there);
    menu.setAttribute("aria-label", `Add “${card.headline}” to a heading`);
    return item;
  };

  const label = (words) => {
    const item = document.createElement("li");
    item.className = "nl-since";
    item.textContent = words;
    return item;
  };

  const render = () => {
    const fresh = shown.filter((card) => card.fresh), older = shown.filter((card) => !card.fresh);
    const rows = [];
    if (fresh.length) rows.push(label("Since the last issue"), ...fresh.map(row));
    if (older.length) rows.push(label(fresh.length ? "Before" : "Older"), ...older.map(row));
    found.replaceChildren(...rows);
    if (!rows.length) found.replaceChildren(label(find.value ? "No published story has these words." : "Nothing is published in this language yet."));
  };

  const search = async (next) => {
    const mine = ++last;
    number = next;
    try {
      const url = `${root.dataset.stories}?q=${encodeURIComponent(find.value)}&p=${number}`;
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const data = await answer.json();
      if (mine !== last) return;
      for (const card of data.stories) page.stories[card.key] = { ...page.stories[card.key], ...card };
      shown = number === 1 ? data.stories : [...shown, ...data.stories];
      more.hidden = !data.more;
      render();
    } catch {
      if (mine === last) found.replaceChildren(label("The search did not answer. Try again."));
    }
  };

  found.addEventListener("change", (event) => {
    const menu = event.target.closest("[data-add]");
    if (!menu || menu.value === "") return;
    const key = Number(menu.closest("[data-pick]").dataset.pick);
    const next = menu.closest("li").nextElementSibling;
    list.add(key, Number(menu.value));
    const at = next && found.querySelector(`[data-pick="${next.dataset.pick}"] [data-add]`);
    (at || find).focus();
  });
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => search(1), 200); });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); search(1); }
  });
  more.addEventListener("click", () => { search(number + 1); say("Older stories follow."); });
  search(1);
  return { refresh: render };
};
