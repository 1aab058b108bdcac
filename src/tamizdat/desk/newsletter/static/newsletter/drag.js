// SPDX-License-Identifier: AGPL-3.0-or-later
// Dragging stories with a mouse, a finger or a pen (pointer events: a browser's own drag and drop
// knows no fingers). Everything it does, buttons and menus do as well.
const FAR = 5; // Pixels before a press counts as dragging.
const EDGE = 60;
const STEP = 12; // Pixels a frame, near an edge.

export const dragging = ({ root, list, page }) => {
  let held = null; // { key, x, y, pointer, ghost, over, row }: x and y are where the pointer is.
  const marker = document.createElement("li");
  marker.className = "nl-marker";
  marker.setAttribute("aria-hidden", "true");

  const grabs = (event, row) => event.target.closest("[data-grip]")
    || (event.pointerType === "mouse" && event.button === 0
      && !event.target.closest("a, button, input, textarea, select, summary, details"));

  root.addEventListener("pointerdown", (event) => {
    const row = event.target.closest("[data-story], [data-pick]");
    if (!row || held || !grabs(event, row)) return;
    const key = Number(row.dataset.story || row.dataset.pick);
    if (row.dataset.pick && list.where(key)) return;
    held = { key, row, x: event.clientX, y: event.clientY, pointer: event.pointerId, ghost: null };
    if (event.pointerType === "mouse") event.preventDefault(); // No text is marked meanwhile.
  });

  const start = () => {
    held.ghost = document.createElement("div");
    held.ghost.className = "nl-ghost";
    held.ghost.textContent = page.stories[held.key]?.headline || "";
    document.body.append(held.ghost);
    document.body.classList.add("nl-dragging");
    held.row.classList.add("nl-dragged");
    requestAnimationFrame(glide);
  };

  // The desk scrolls inside one of its parts, a phone the whole page.
  const scroller = () => {
    for (let part = root.parentElement; part; part = part.parentElement) {
      const { overflowY } = getComputedStyle(part);
      if (part.scrollHeight > part.clientHeight && ["auto", "scroll"].includes(overflowY)) return part;
    }
    return document.scrollingElement;
  };
  const step = (y) => {
    if (y < 2 * EDGE) return -STEP;
    return y > window.innerHeight - EDGE ? STEP : 0;
  };
  // What is held near an edge goes on scrolling, also while the pointer rests there.
  const glide = () => {
    if (!held?.ghost) return;
    const by = step(held.y);
    if (by) {
      scroller().scrollBy(0, by);
      aim();
    }
    requestAnimationFrame(glide);
  };

  // The place under the pointer: a heading, and before which of its stories.
  const target = (x, y) => {
    const heading = document.elementFromPoint(x, y)?.closest("[data-heading]");
    if (!heading || !root.contains(heading)) return null;
    const rows = [...heading.querySelectorAll("[data-story]")];
    const next = rows.find((row) => { const box = row.getBoundingClientRect(); return y < box.top + box.height / 2; });
    return { heading, next };
  };

  const aim = () => {
    held.over = target(held.x, held.y);
    if (!held.over) { marker.remove(); return; }
    const into = held.over.heading.querySelector("[data-list]");
    if (held.over.next) held.over.next.before(marker); else into.append(marker);
  };

  const moved = (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    if (!held.ghost) {
      if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < FAR) return;
      start();
    }
    event.preventDefault();
    Object.assign(held, { x: event.clientX, y: event.clientY });
    held.ghost.style.left = `${Math.min(event.clientX + 12, window.innerWidth - 120)}px`;
    held.ghost.style.top = `${event.clientY + 8}px`;
    aim();
  };

  const end = (drop) => {
    if (!held) return;
    const { key, over, row, ghost } = held;
    held = null;
    ghost?.remove();
    marker.remove();
    row.classList.remove("nl-dragged");
    document.body.classList.remove("nl-dragging");
    if (!drop || !ghost || !over) return;
    const at = Number(over.heading.dataset.heading);
    const others = page.mine.stories[at].items.filter((one) => one !== key);
    const place = over.next ? others.indexOf(Number(over.next.dataset.story)) : others.length;
    if (over.next && Number(over.next.dataset.story) === key) return;
    list.move(key, at, place);
  };

  window.addEventListener("pointermove", moved, { passive: false });
  window.addEventListener("pointerup", (event) => { if (held && event.pointerId === held.pointer) end(true); });
  window.addEventListener("pointercancel", () => end(false));
  window.addEventListener("keydown", (event) => { if (event.key === "Escape") end(false); });
};
