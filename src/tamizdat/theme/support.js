// SPDX-License-Identifier: AGPL-3.0-or-later
// The page where readers give, and the one that thanks them. The page works without it; with it a
// choice made elsewhere is chosen already, the letterbox that answers is found, and one wish is sent
// once, however often the button is pressed.
(() => {
  "use strict";
  const DAY = 864e5, WAIT = 8000, ARTICLES = 10;
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* It keeps nothing. */ } },
    drop(key) { try { localStorage.removeItem(key); } catch { /* The same. */ } },
  };
  const asked = new URLSearchParams(location.hash.slice(1));

  const thanked = document.querySelector("[data-thanked]");
  if (thanked) {
    store.drop("tamizdat.intent");
    store.set("tamizdat.quiet", Date.now() + thanked.dataset.thanked * DAY);
    if (store.get("tamizdat.quiet")) thanked.querySelector("[data-quiet]").hidden = false;
    return;
  }
  const form = document.getElementById("give");
  if (!form) return;
  const field = (name) => form.elements.namedItem(name);
  const said = form.querySelector("[data-said]");

  // What a message, or a page that was left, chose.
  const choose = () => {
    for (const name of ["message", "variant"]) {
      for (const one of document.querySelectorAll(`input[name=${name}]`)) one.value = asked.get(name) || "";
    }
    const kind = asked.get("kind"), amount = asked.get("amount"), currency = asked.get("currency");
    const radio = kind && form.querySelector(`[name=kind][value="${CSS.escape(kind)}"]`);
    if (radio) radio.checked = true;
    const select = field("currency");
    if (currency && select.options && [...select.options].some((one) => one.value === currency)) select.value = currency;
    currencies(false);
    if (!radio || !amount) return;
    const card = [...form.querySelectorAll(`[name="amount-${kind}"]`)].find((one) => one.value === `${amount} ${currency}`);
    if (card) card.checked = true;
    else field("own").value = amount;
  };

  // With several currencies, the cards of the chosen one.
  const currencies = (anew) => {
    const select = field("currency");
    if (!select.options) return;
    for (const group of form.querySelectorAll("[data-currency]")) {
      const off = group.dataset.currency !== select.value;
      group.hidden = off;
      const cards = [...group.querySelectorAll("input")];
      for (const card of cards) card.disabled = off;
      if (!off && (anew || !cards.some((card) => card.checked))) {
        (cards.find((card) => card.defaultChecked || card.nextElementSibling?.nextElementSibling) || cards[0]).checked = true;
      }
    }
  };

  // The name of this wish: the same until it is thanked for, or something else is wished.
  const intent = () => {
    const data = new FormData(form);
    for (const name of ["intent", "back"]) data.delete(name);
    const wish = new URLSearchParams(data).toString();
    let known = null;
    try { known = JSON.parse(store.get("tamizdat.intent")); } catch { /* Not ours. */ }
    if (known && known.wish === wish && Date.now() - known.at < DAY) return known.name;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const name = btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    store.set("tamizdat.intent", JSON.stringify({ wish, name, at: Date.now() }));
    return name;
  };

  const open = async () => {
    for (const drop of form.dataset.drops.split(" ")) {
      try {
        const options = { credentials: "omit", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(WAIT) };
        if ((await fetch(`${drop}/v1/health`, options)).ok) return drop;
      } catch {
        // The next one.
      }
    }
    return "";
  };

  let going = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (going) return;
    going = true;
    field("intent").value = intent();
    if (location.protocol.startsWith("http")) field("back").value = location.origin;
    said.className = "say";
    said.textContent = form.dataset.looking;
    open().then((drop) => {
      if (!drop) {
        going = false;
        said.className = "say warn";
        said.textContent = form.dataset.unreachable;
        return;
      }
      form.action = `${drop}/v1/give`;
      form.submit();
    });
  });
  // Who comes back by the browser's own button finds the page as it was left.
  addEventListener("pageshow", () => {
    going = false;
    said.textContent = "";
  });
  form.addEventListener("change", ({ target }) => {
    if (target.name === "currency") currencies(true);
    if (target.name.startsWith("amount-")) field("own").value = "";
  });
  choose();

  // Reminding without an address.
  const later = document.getElementById("remind");
  const alone = later.querySelector(".alone");
  alone.hidden = false;
  alone.querySelector("[data-browser]").addEventListener("click", () => {
    store.set("tamizdat.quiet", Date.now() + 365 * DAY);
    store.set("tamizdat.after", ARTICLES + 1); // Counted down by tamizdat.js.
    alone.querySelector("[role=status]").textContent = store.get("tamizdat.after") ? alone.dataset.done : "";
  });
  const dayAfter = (months) => {
    const now = new Date();
    const last = new Date(now.getFullYear(), now.getMonth() + months + 1, 0).getDate();
    const day = new Date(now.getFullYear(), now.getMonth() + months, Math.min(now.getDate(), last));
    return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((n) => String(n).padStart(2, "0")).join("");
  };
  alone.querySelector("[data-calendar]").addEventListener("click", ({ currentTarget }) => {
    const months = Number(later.querySelector("[name=months]:checked")?.value || 1);
    const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tamizdat//EN", "BEGIN:VEVENT",
      `UID:${stamp}-${Math.random().toString(36).slice(2)}`, `DTSTAMP:${stamp}`, `DTSTART;VALUE=DATE:${dayAfter(months)}`,
      `SUMMARY:${alone.dataset.title}`, `URL:${location.origin}${location.pathname}`, "END:VEVENT", "END:VCALENDAR", ""];
    const old = currentTarget.href;
    currentTarget.href = URL.createObjectURL(new Blob([lines.join("\r\n")], { type: "text/calendar" }));
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  });
  if (asked.has("remind")) later.focus();
})();
