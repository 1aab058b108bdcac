// SPDX-License-Identifier: AGPL-3.0-or-later
// Pulls site-wide fragments (ribbon, message, latest list) into the page. Without this script, or
// when a fragment is empty or out of reach, the plain link that stands in its place stays.
(() => {
  "use strict";
  const options = { credentials: "omit", referrerPolicy: "no-referrer" };
  const fill = async (place) => {
    try {
      const answer = await fetch(place.dataset.fragment, options);
      const html = answer.ok ? (await answer.text()).trim() : "";
      if (html) place.innerHTML = html;
    } catch {
      // Offline or blocked: the plain link stays.
    }
  };
  const places = document.querySelectorAll("[data-fragment]");
  if (!("IntersectionObserver" in window)) {
    places.forEach(fill);
    return;
  }
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      fill(entry.target);
    }
  }, { rootMargin: "600px 0px" });
  places.forEach((place) => watcher.observe(place));
})();
