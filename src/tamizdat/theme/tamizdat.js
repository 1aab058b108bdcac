// SPDX-License-Identifier: AGPL-3.0-or-later
// Pulls site-wide fragments (ribbon, message, latest list) into the page. Without this script, or
// when a fragment is empty or out of reach, the plain link that stands in its place stays.
(() => {
  "use strict";
  const options = { credentials: "omit", referrerPolicy: "no-referrer" };
  // Who gave, closed a message or wants to be reminded here after some articles is not asked now.
  const quiet = () => {
    try {
      const left = Number(localStorage.getItem("tamizdat.after"));
      if (left && document.body.className === "article") {
        localStorage.setItem("tamizdat.after", left - 1);
        if (left === 1) localStorage.removeItem("tamizdat.quiet");
      }
      return Number(localStorage.getItem("tamizdat.quiet")) > Date.now();
    } catch {
      return false;
    }
  };
  const fill = async (place) => {
    try {
      const answer = await fetch(place.dataset.fragment, options);
      const html = answer.ok ? (await answer.text()).trim() : "";
      if (html.includes("data-ask")) (await import("/assets/asks.js")).show(place, html);
      else if (html) place.innerHTML = html;
    } catch {
      // Offline or blocked: the plain link stays.
    }
  };
  if (quiet()) document.querySelectorAll(".ribbon, .message").forEach((place) => place.remove());
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

// Who goes from a story to write to the desk need not say which story. What stands after “#” is
// sent to nobody.
(() => {
  "use strict";
  const link = document.querySelector("a[data-write]");
  if (!link || document.body.className !== "article") return;
  link.addEventListener("click", () => {
    link.hash = `story=${location.pathname}`;
  });
})();

// Starts the worker that verifies the paper, and shows at the foot of the page what it says. The
// words are the worker's. Without it there is no such line.
(() => {
  "use strict";
  const workers = navigator.serviceWorker;
  const foot = document.querySelector(".foot");
  if (!workers || !foot) return;
  const SECRET = "read-without-a-trace";
  const KEPT_AWAKE = 20000;
  const arrived = performance.getEntriesByType("navigation")[0];
  const through = Boolean(
    workers.controller && arrived && arrived.workerStart > 0 &&
    arrived.serverTiming.some(({ name }) => name === "verified")
  );
  let secret = false;
  try {
    secret = sessionStorage.getItem(SECRET) === "1";
  } catch {
    // A browser that keeps nothing: then nothing is remembered of the switch either.
  }
  const ask = () => {
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => data && show(data);
    const question = { tamizdat: 1, href: location.href, lang: document.documentElement.lang, through, secret };
    workers.controller.postMessage(question, [channel.port2]);
  };
  const element = (name, text, ...children) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    made.append(...children);
    return made;
  };
  let line;
  const show = (said) => {
    const open = Boolean(line && line.querySelector("details[open]"));
    const focused = Boolean(line && line.contains(document.activeElement));
    const fresh = element("section");
    fresh.className = `proof small ${said.mood}`;
    fresh.lang = said.lang;
    fresh.dir = said.dir;
    const told = element("p", said.text);
    told.setAttribute("role", "status");
    fresh.append(told);
    if (said.again) fresh.append(button(said.again, () => location.reload()));
    const list = element("dl");
    for (const [term, value] of said.details) {
      list.append(element("dt", term), element("dd", "", element("bdi", value)));
    }
    const details = element("details", "", element("summary", said.summary), list, choice(said.switch));
    details.open = open;
    fresh.append(details);
    if (line) line.replaceWith(fresh);
    else foot.append(fresh);
    line = fresh;
    if (focused) line.querySelector("input").focus();
  };
  const button = (text, action) => {
    const made = element("button", text);
    made.type = "button";
    made.addEventListener("click", action);
    return made;
  };
  const choice = ({ on, label, text }) => {
    const box = element("input");
    box.type = "checkbox";
    box.checked = on;
    box.addEventListener("change", () => {
      secret = box.checked;
      try {
        if (secret) sessionStorage.setItem(SECRET, "1");
        else sessionStorage.removeItem(SECRET);
      } catch {
        // As above.
      }
      ask();
    });
    return element("div", "", element("label", "", box, ` ${label}`), element("p", text));
  };
  workers.addEventListener("controllerchange", () => workers.controller && ask());
  if (workers.controller) ask();
  // The browser puts a worker to sleep, and what it knew of private reading with it.
  setInterval(() => secret && workers.controller && ask(), KEPT_AWAKE);
  workers.register("/sw.js").catch(() => {
    // The browser keeps no workers, or this address has none: the paper is read as it comes.
  });
})();
