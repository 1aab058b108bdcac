// SPDX-License-Identifier: AGPL-3.0-or-later
// Shows one of the messages of a fragment, one of its variants drawn by weight. What is counted here
// stays in this browser, and while somebody reads without a trace nothing is kept.
const DAY = 864e5;
const KEY = "tamizdat.shown";

const read = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || {};
  } catch {
    return {};
  }
};
const keep = (key, value) => {
  try {
    if (sessionStorage.getItem("read-without-a-trace") !== "1") localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing.
  }
};

const fits = ({ ask, begins, ends, sections, most, days }, section, now) => {
  if (Date.parse(begins) > now || Date.parse(ends) <= now) return false; // NaN where there is none.
  if (sections && !sections.split(" ").includes(section)) return false;
  if (!most) return true;
  const known = read(), today = Math.floor(now / DAY);
  const shown = (known[ask] || []).filter((day) => day > today - days);
  if (shown.length >= most) return false;
  keep(KEY, JSON.stringify({ ...known, [ask]: [...shown, today] }));
  return true;
};

const drawn = (variants) => {
  let left = Math.random() * variants.reduce((sum, one) => sum + Number(one.dataset.weight), 0);
  return variants.find((one) => (left -= Number(one.dataset.weight)) < 0) || variants[0];
};

export const show = (place, html) => {
  const made = document.createElement("template");
  made.innerHTML = html;
  const current = document.querySelector(".sections [aria-current]");
  const section = current ? current.getAttribute("href").split("/").at(-2) : "";
  const all = [...made.content.querySelectorAll("[data-ask]")];
  const ask = all.find((one) => fits(one.dataset, section, Date.now()));
  if (!ask) return;
  ask.replaceChildren(...drawn([...ask.children]).childNodes);
  for (const button of ask.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => {
      keep("tamizdat.quiet", Date.now() + ask.dataset.again * DAY);
      document.querySelectorAll("[data-ask]").forEach((one) => one.remove());
      place.tabIndex = -1;
      place.focus();
    });
  }
  place.replaceChildren(ask);
};
