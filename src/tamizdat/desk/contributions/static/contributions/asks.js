// SPDX-License-Identifier: AGPL-3.0-or-later
// Says how long a field is, leads frames to the message, and gives each text's editor its name.
// Without it everything works.
(() => {
  "use strict";
  const count = (field) => {
    let out = field.parentElement.querySelector(":scope > .newsroom-count");
    if (!out) {
      out = document.createElement("div");
      out.className = "newsroom-count";
      field.after(out);
    }
    const written = [...field.value].length;
    const most = Number(field.dataset.counted);
    out.textContent = written > most ? `${written} of ${most}: too long` : `${written} of ${most}`;
    out.classList.toggle("is-over", written > most);
  };
  for (const field of document.querySelectorAll("[data-counted]")) {
    count(field);
    field.addEventListener("input", () => count(field));
  }

  // Wagtail's editor comes later than the page, and without a name.
  const name = () => {
    for (const editor of document.querySelectorAll(".asks-rich [role=textbox]:not([aria-labelledby])")) {
      const label = editor.closest(".asks-rich").querySelector("label");
      if (label) editor.setAttribute("aria-labelledby", label.id);
    }
  };
  // A frame shows the message at once. An address with “#” would scroll the desk as well.
  const show = (frame) => {
    const page = frame.contentDocument;
    const place = page && page.getElementById(frame.dataset.show);
    if (place) frame.contentWindow.scrollTo(0, place.getBoundingClientRect().top + frame.contentWindow.scrollY - 160);
  };
  for (const frame of document.querySelectorAll("iframe[data-show]")) {
    frame.addEventListener("load", () => show(frame));
    show(frame);
  }

  const form = document.querySelector(".asks-form");
  if (form) {
    new MutationObserver(name).observe(form, { childList: true, subtree: true });
    name();
  }
})();
