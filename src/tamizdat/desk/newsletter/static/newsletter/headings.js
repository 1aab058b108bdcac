// SPDX-License-Identifier: AGPL-3.0-or-later
// Headings with their stories: drawn from the wish, moved by buttons, keys and menus.
export const headings = ({ root, page, say, remember, changed, later }) => {
  const box = root.querySelector("[data-headings]");
  const blankHeading = root.querySelector("[data-heading-template]");
  const blankStory = root.querySelector("[data-story-template]");
  const wish = () => page.mine.stories;
  const headline = (key) => page.stories[key]?.headline || "a story";

  const where = (key) => {
    const at = wish().findIndex((one) => one.items.includes(key));
    return at < 0 ? null : { at, place: wish()[at].items.indexOf(key) };
  };

  const option = (value, words) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = words;
    return made;
  };
  const options = (first, skip) => [option("", first),
    ...wish().map((one, at) => (at === skip ? null : option(String(at), one.title || "Untitled"))).filter(Boolean)];

  // --- Changing.

  const move = (key, at, place) => {
    const from = where(key);
    if (from && from.at === at && from.place === place) return;
    remember(from ? `moving “${headline(key)}”` : `adding “${headline(key)}”`);
    if (from) wish()[from.at].items.splice(from.place, 1);
    const to = wish()[at].items;
    to.splice(Math.min(place, to.length), 0, key);
    render();
    say(`${headline(key)}: ${wish()[at].title}, ${to.indexOf(key) + 1} of ${to.length}`);
    changed();
  };

  const step = (key, by) => {
    const from = where(key);
    const items = wish()[from.at].items;
    if (from.place + by >= 0 && from.place + by < items.length) move(key, from.at, from.place + by);
    else if (wish()[from.at + by]) move(key, from.at + by, by < 0 ? wish()[from.at + by].items.length : 0);
  };

  const out = (key) => {
    const from = where(key);
    remember(`taking out “${headline(key)}”`);
    wish()[from.at].items.splice(from.place, 1);
    render();
    say(`${headline(key)}: taken out. Undo brings it back.`);
    changed();
    (box.querySelector(`[data-list] [data-do=out]`) || root.querySelector("[data-undo]")).focus();
  };

  const add = (key, at) => {
    if (where(key)) { say(`${headline(key)} is in the issue already`); return; }
    if (!wish().length) wish().push({ title: "News", items: [] });
    move(key, at, wish()[at].items.length);
  };

  const moveHeading = (at, by) => {
    if (!wish()[at + by]) return;
    remember(`moving the heading “${wish()[at].title}”`);
    wish().splice(at + by, 0, wish().splice(at, 1)[0]);
    render();
    box.children[at + by].querySelector(by < 0 ? "[data-do=heading-up]" : "[data-do=heading-down]").focus();
    changed();
  };

  const removeHeading = (at) => {
    if (wish()[at].items.length) { say("Take its stories out first, or move them."); return; }
    remember(`removing the heading “${wish()[at].title}”`);
    wish().splice(at, 1);
    render();
    changed();
    (root.querySelector("[data-add-heading]")).focus();
  };

  const seen = (key) => {
    page.mine[`picked:${key}`] = page.stories[key].version;
    page.stories[key].flag = page.stories[key].said = "";
    render();
    later(0);
  };

  // --- Drawing.

  const story = (key, at) => {
    const row = blankStory.content.firstElementChild.cloneNode(true);
    const card = page.stories[key] || { headline: "A story", section: "", day: "", edit: "", flag: "", said: "" };
    row.dataset.story = key;
    const link = row.querySelector("[data-headline]");
    link.textContent = page.mine[`headline:${key}`] || card.headline;
    link.href = card.edit;
    row.querySelector("[data-about]").textContent = [card.section, card.day].filter(Boolean).join(" · ");
    const flag = row.querySelector("[data-flag]");
    flag.hidden = !card.flag;
    flag.textContent = card.said;
    words(row, key, card);
    const to = row.querySelector("[data-to]");
    if (to) controls(row, key, at, card, to);
    return row;
  };

  const words = (row, key, card) => {
    for (const [selector, name, own] of [["[data-own-headline]", "headline", card.headline],
      ["[data-own-blurb]", "blurb", card.standfirst]]) {
      const field = row.querySelector(selector), part = `${name}:${key}`;
      field.value = page.mine[part] ?? "";
      field.placeholder = own || "";
      field.dataset.focus = part;
      field.addEventListener("input", () => {
        page.mine[part] = field.value;
        if (name === "headline") row.querySelector("[data-headline]").textContent = field.value || card.headline;
        later();
      });
    }
    const has = page.mine[`headline:${key}`] || page.mine[`blurb:${key}`];
    row.querySelector("[data-own]").textContent = has ? " (written)" : "";
    const details = row.querySelector("[data-words]");
    details.open = open.has(key);
    details.addEventListener("toggle", () => (details.open ? open.add(key) : open.delete(key)));
  };
  const open = new Set();

  const controls = (row, key, at, card, to) => {
    to.replaceChildren(...options("To heading …", at));
    to.hidden = wish().length < 2;
    to.setAttribute("aria-label", `Move “${card.headline}” to a heading`);
    for (const [name, label] of [["up", "Move up"], ["down", "Move down"], ["out", "Take out"]]) {
      const control = row.querySelector(`[data-do=${name}]`);
      control.setAttribute("aria-label", `${label}: ${card.headline}`);
      control.dataset.focus = `${name}:${key}:button`;
    }
    const mark = row.querySelector("[data-do=seen]");
    mark.hidden = card.flag !== "corrected";
    mark.setAttribute("aria-label", `I have seen the correction of ${card.headline}`);
  };

  const heading = (one, at) => {
    const made = blankHeading.content.firstElementChild.cloneNode(true);
    made.dataset.heading = at;
    const title = made.querySelector("[data-title]");
    title.value = one.title;
    title.dataset.focus = `title:${at}`;
    title.addEventListener("input", () => {
      if (title.value.trim()) { one.title = title.value; later(); }
    });
    title.addEventListener("change", () => { title.value = one.title; render(); changed(); });
    made.querySelector("[data-list]").replaceChildren(...one.items.map((key) => story(key, at)));
    made.querySelector("[data-list]").setAttribute("aria-label", `Stories under ${one.title}`);
    made.querySelector("[data-empty]").hidden = one.items.length > 0;
    for (const [name, label] of [["up", "Move up"], ["down", "Move down"], ["out", "Remove"]]) {
      made.querySelector(`[data-do=heading-${name}]`)?.setAttribute("aria-label", `${label} the heading ${one.title}`);
    }
    return made;
  };

  const render = () => {
    const focused = document.activeElement?.dataset?.focus;
    const caret = focused && document.activeElement.selectionStart;
    box.replaceChildren(...wish().map(heading));
    const again = focused && box.querySelector(`[data-focus="${CSS.escape(focused)}"]`);
    if (!again) return;
    again.focus();
    if (caret !== undefined && again.setSelectionRange) again.setSelectionRange(caret, caret);
  };

  // --- Buttons, menus, keys.

  const DEEDS = { up: (key) => step(key, -1), down: (key) => step(key, 1), out, seen };
  box.addEventListener("click", (event) => {
    const control = event.target.closest("[data-do]");
    if (!control) return;
    const row = control.closest("[data-story]");
    if (row) { DEEDS[control.dataset.do](Number(row.dataset.story)); return; }
    const at = Number(control.closest("[data-heading]").dataset.heading);
    if (control.dataset.do === "heading-out") removeHeading(at);
    else moveHeading(at, control.dataset.do === "heading-up" ? -1 : 1);
  });
  box.addEventListener("change", (event) => {
    const menu = event.target.closest("[data-to]");
    if (!menu || menu.value === "") return;
    const key = Number(menu.closest("[data-story]").dataset.story), at = Number(menu.value);
    move(key, at, wish()[at].items.length);
    box.querySelector(`[data-story="${key}"] [data-to]`)?.focus();
  });
  box.addEventListener("keydown", (event) => {
    const row = event.target.closest("[data-story]");
    if (!row || !page.may || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    step(Number(row.dataset.story), event.key === "ArrowUp" ? -1 : 1);
  });
  root.querySelector("[data-add-heading]")?.addEventListener("click", () => {
    remember("adding a heading");
    wish().push({ title: "New heading", items: [] });
    render();
    changed();
    const title = box.lastElementChild.querySelector("[data-title]");
    title.focus();
    title.select();
  });

  return { render, move, add, where, options, headline };
};
