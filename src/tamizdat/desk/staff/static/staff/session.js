// SPDX-License-Identifier: AGPL-3.0-or-later
// Asks whether the session lives when a person comes back to a form, and gives the form the token
// that it needs after signing in anew. On the page of a kept form it sends that form again.
(() => {
  const script = document.currentScript;
  const kept = document.querySelector("form[data-kept]");
  let out = false;

  // The token; "" where nobody is signed in; null where the desk did not answer.
  const ask = async () => {
    try {
      const response = await fetch(script.dataset.session, {
        headers: { Accept: "application/json" }, redirect: "manual", cache: "no-store",
      });
      if (response.ok) return (await response.json()).token;
      return response.type === "opaqueredirect" || response.status < 500 ? "" : null;
    } catch {
      return null;
    }
  };
  const renew = (token) => {
    document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((field) => { field.value = token; });
  };
  const say = (type, text) => {
    const message = text ? { text, type, clear: true } : {};
    document.dispatchEvent(new CustomEvent(`w-messages:${text ? "add" : "clear"}`, { detail: message }));
  };

  const look = async () => {
    const token = await ask();
    if (token === null) return;
    if (token) renew(token);
    if (!token && !out) say("error", script.dataset.words);
    if (token && out) {
      say("success", "You are signed in again: go on writing.");
      document.dispatchEvent(new CustomEvent("staff:signed-in"));
    }
    out = !token;
  };

  if (kept) {
    const status = document.querySelector("[data-status]");
    kept.addEventListener("submit", async (event) => {
      event.preventDefault();
      const token = await ask();
      if (token) {
        renew(token);
        HTMLFormElement.prototype.submit.call(kept);
      } else {
        status.textContent = token === null
          ? "The desk did not answer. Try again."
          : "You are still signed out. Sign in in the other tab first.";
      }
    });
  } else if (document.querySelector("form[method=post i]")) {
    window.addEventListener("focus", look);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
    document.addEventListener("w-autosave:error", look);
  }
})();
