// SPDX-License-Identifier: AGPL-3.0-or-later
// Small helps in the editor: counted fields, the picker of topics and places, comments.
(() => {
  if (window.newsroomDesk) return;
  window.newsroomDesk = true;

  // --- Fields that say how long they are.
  const count = (field) => {
    let out = field.parentElement.querySelector(":scope > .newsroom-count");
    if (!out) {
      out = document.createElement("div");
      out.className = "newsroom-count";
      field.after(out);
    }
    const written = [...field.value].length;
    const fits = Number(field.dataset.fits);
    const words = written > fits ? `${written}: over ${fits}, cut in lists and mail` : `${written} of ${fits}`;
    // Writing the same again would wake the observer below, for ever.
    if (out.textContent !== words) out.textContent = words;
    out.classList.toggle("is-over", written > fits);
  };

  // --- Many of many: type, choose, see chips.
  const picker = (box) => {
    if (box.dataset.ready) return;
    box.dataset.ready = "1";
    const select = box.querySelector("select");
    const kind = box.dataset.kind;
    const chips = document.createElement("ul");
    const input = document.createElement("input");
    const list = document.createElement("ul");
    chips.className = "newsroom-chips";
    list.className = "newsroom-options";
    list.setAttribute("role", "listbox");
    list.id = `${select.id}-options`;
    list.hidden = true;
    input.type = "text";
    input.placeholder = `Add a ${kind}`;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-label", `Add a ${kind}`);
    input.autocomplete = "off";
    select.hidden = true;
    box.append(chips, input, list);
    let at = -1;

    const changed = () => select.dispatchEvent(new Event("change", { bubbles: true }));
    const close = () => { list.hidden = true; at = -1; input.setAttribute("aria-expanded", "false"); };
    const draw = () => {
      chips.replaceChildren(...[...select.selectedOptions].map((option) => {
        const chip = document.createElement("li");
        const out = document.createElement("button");
        chip.textContent = option.textContent;
        out.type = "button";
        out.textContent = "×";
        out.setAttribute("aria-label", `Take out ${option.textContent}`);
        out.addEventListener("click", () => { option.selected = false; draw(); changed(); input.focus(); });
        chip.append(out);
        return chip;
      }));
    };
    const take = (option) => { option.selected = true; input.value = ""; close(); draw(); changed(); };
    const offer = () => {
      const words = input.value.trim().toLocaleLowerCase();
      const fitting = [...select.options]
        .filter((o) => !o.selected && o.textContent.toLocaleLowerCase().includes(words)).slice(0, 12);
      list.replaceChildren(...fitting.map((option, index) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${index}`;
        item.setAttribute("role", "option");
        item.textContent = option.textContent;
        item.addEventListener("mousedown", (event) => { event.preventDefault(); take(option); });
        return item;
      }));
      if (!fitting.length) {
        const none = document.createElement("li");
        none.textContent = words ? `No ${kind} of that name. Add it under Filing.` : `No more to add.`;
        list.append(none);
      }
      list.fitting = fitting;
      list.hidden = false;
      at = -1;
      input.setAttribute("aria-expanded", "true");
    };
    const mark = (next) => {
      const items = [...list.querySelectorAll("[role=option]")];
      if (!items.length) return;
      at = (next + items.length) % items.length;
      items.forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
      input.setAttribute("aria-activedescendant", items[at].id);
      items[at].scrollIntoView({ block: "nearest" });
    };
    input.addEventListener("input", offer);
    input.addEventListener("focus", offer);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); if (list.hidden) offer(); mark(at + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); mark(at - 1); }
      else if (event.key === "Escape") { close(); }
      else if (event.key === "Enter") {
        event.preventDefault();
        const option = list.fitting && list.fitting[Math.max(at, 0)];
        if (!list.hidden && option && (at >= 0 || input.value.trim())) take(option);
      } else if (event.key === "Backspace" && !input.value && select.selectedOptions.length) {
        select.selectedOptions[select.selectedOptions.length - 1].selected = false;
        draw();
        changed();
      }
    });
    draw();
  };

  // --- Comments, without leaving the page.
  const comments = (box) => {
    if (box.dataset.ready) return;
    box.dataset.ready = "1";
    const url = box.dataset.comments;
    // Asked each time: signing in anew changes the form's token (staff/session.js).
    const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value || box.dataset.csrf || "";
    const sorry = (text) => {
      const line = document.createElement("p");
      line.className = "error-message";
      line.setAttribute("role", "alert");
      line.textContent = text;
      box.prepend(line);
    };
    const load = async (body) => {
      let response;
      try {
        response = await fetch(url, body
          ? { method: "POST", body, headers: { "X-CSRFToken": token() } } : {});
      } catch {
        sorry("The desk did not answer. What you wrote is still here: try again.");
        return;
      }
      if (!response.ok && response.status !== 422) {
        sorry("The comment could not be saved. What you wrote is still here: try again.");
        return;
      }
      box.innerHTML = await response.text();
      const toggle = document.querySelector('[data-side-panel-toggle="newsroom-comments"] [data-side-panel-toggle-counter]');
      const open = box.querySelectorAll(":scope > .newsroom-thread").length;
      if (toggle) { toggle.textContent = open || ""; toggle.hidden = !open; }
    };
    const act = (element, what) => {
      const place = element.closest("[data-say]");
      const body = new FormData();
      body.set("what", what);
      if (place.dataset.comment) body.set("comment", place.dataset.comment);
      const text = place.querySelector("textarea");
      if (what === "say" && text) body.set("text", text.value);
      load(body);
    };
    box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button) act(button, button.dataset.act);
    });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
        event.preventDefault();
        act(event.target, "say");
      }
    });
    load();
  };

  // After each save Wagtail puts its panels at the side there anew. Ours loads by itself, and
  // somebody may be writing in it.
  document.addEventListener("w-teleport:append", (event) => {
    if (event.detail.target?.querySelector("[data-comments][data-ready]")) event.preventDefault();
  });

  const wake = (root) => {
    root.querySelectorAll("[data-fits]").forEach(count);
    root.querySelectorAll("[data-picker]").forEach(picker);
    root.querySelectorAll("[data-comments]").forEach(comments);
  };
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-fits]")) count(event.target);
  });
  const start = () => {
    wake(document);
    new MutationObserver((changes) => {
      if (changes.some((change) => change.addedNodes.length)) wake(document);
    }).observe(document.body, { childList: true, subtree: true });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
