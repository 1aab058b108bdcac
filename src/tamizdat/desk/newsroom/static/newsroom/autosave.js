// SPDX-License-Identifier: AGPL-3.0-or-later
// What Wagtail's autosave (7.4) forgets. It counts as saved whatever stands in the form when an
// answer comes, not what was sent; it looks at the form for the first time two seconds late; it
// gives up after a server's error. What always holds here:
//
// - Saved is what the desk has answered for; the rest is sent until it is answered for.
// - “Saved” stands there only while nothing else stands in the form.
// - A save sent by hand waits for the one under way: a new article is not made twice.
(() => {
  if (window.newsroomAutosave) return;
  window.newsroomAutosave = true;

  const LOOK = 250; // ms between looks at the form
  const TYPING = 700; // ms in which what was typed gets from the rich text into the form
  const SETTLING = 2000; // ms in which widgets still write into a fresh form
  const LONGEST = 5000; // ms after which somebody is saved who does not stop typing
  const RETRY = { first: 3000, longest: 60_000 };
  const LEAVING = 30_000; // ms after which a save by hand must have led to another page
  const GESTURES = ["pointerdown", "keydown", "beforeinput", "input", "change", "paste", "drop"];
  const NOT_CONTENT = ["csrfmiddlewaretoken", "loaded_revision_id", "loaded_revision_created_at", "next", "overwrite_revision_id"];
  // A refusal that is the same each time for the same text.
  const FINAL = ["validation_error", "invalid_revision"];

  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

  // Rich text is written anew when its editor has started: the same text in other JSON.
  const isEmpty = (value) => value && typeof value === "object" && !Object.keys(value).length;
  const canonical = (value) => {
    if (Array.isArray(value)) return value.map(canonical);
    if (!value || typeof value !== "object") return value;
    const keys = Object.keys(value).filter((key) => !isEmpty(value[key])).sort();
    return Object.fromEntries(keys.map((key) => [key, canonical(value[key])]));
  };
  const plain = (value) => {
    if (value instanceof File) return `${value.name} ${value.size} ${value.type}`;
    if (!value.startsWith("{")) return value;
    try {
      return JSON.stringify(canonical(JSON.parse(value)));
    } catch {
      return value; // A text that only begins like JSON.
    }
  };
  const content = (formData) => [...formData]
    .filter(([name]) => !NOT_CONTENT.includes(name)).map(([name, value]) => [name, plain(value)]);

  const keep = (form, unsaved, autosave) => {
    const indicator = document.getElementById("w-autosave-indicator");
    const written = () => JSON.stringify(content(new FormData(form)));
    let saved = unsaved.forceValue ? "" : written();
    let sent = [];
    let underWay = null;
    let failed = null;
    let retryAt = 0;
    let wait = RETRY.first;
    let hydrateUrl = "";
    let typedAt = 0;
    let cleanAt = Date.now();
    let leavingAt = 0;
    let promised = false; // “Saving…” stands there because of us.

    const isTyping = () => Date.now() - typedAt < TYPING;
    const isLeaving = () => Date.now() - leavingAt < LEAVING;
    const isUnsaved = () => isTyping() || written() !== saved;

    // --- What “Saved” says.
    const state = () => indicator?.dataset.wAutosaveStateValue;
    const say = (word, tooltip) => {
      indicator.dataset.wAutosaveStateValue = word;
      indicator.dataset.wTooltipContentValue = tooltip;
    };
    const show = () => {
      if (state() === "saved" && isUnsaved()) {
        say("saving", "");
        promised = true;
      } else if (promised && state() === "saving" && !autosave.submitPromise && !isUnsaved()) {
        say("saved", "");
        promised = false;
      }
    };

    // --- Wagtail asks this controller whether something is unsaved. Its own late look is ignored.
    Object.defineProperty(unsaved, "formData", { get: written });
    Object.defineProperty(unsaved, "initialFormData", { get: () => saved || "-", set: () => {} });
    unsaved.clear = ({ detail }) => {
      const told = detail?.response?.field_updates || {};
      saved = JSON.stringify(sent.map(([name, value]) => [name, name in told ? plain(told[name]) : value]));
      unsaved.forceValue = false;
      unsaved.hasCommentsValue = false;
      unsaved.hasEditsValue = written() !== saved;
    };
    const warn = unsaved.confirm.bind(unsaved);
    unsaved.confirm = (event) => {
      unsaved.hasEditsValue = isUnsaved();
      warn(event);
    };
    if (unsaved.forceValue) {
      // The form came back with mistakes in it: Wagtail would not look at it again.
      unsaved.forceValue = false;
      unsaved.checkIntervalValueChanged(unsaved.checkIntervalValue);
    }

    // --- Sending.
    const start = autosave.save.bind(autosave);
    autosave.save = (event) => (isLeaving() || written() === saved ? Promise.resolve() : start(event));
    const post = autosave.submit.restore();
    const send = async (trigger) => {
      if (hydrateUrl) {
        await autosave.hydrate({ detail: { url: hydrateUrl } }).then(() => { hydrateUrl = ""; }, () => {});
      }
      const formData = new FormData(form);
      if (autosave.revisionIdValue) formData.set("overwrite_revision_id", autosave.revisionIdValue);
      sent = content(formData);
      await post({ defaultPrevented: false, detail: { formData, trigger } });
    };
    autosave.submit = async (event) => {
      if (event.defaultPrevented) return;
      await pause(autosave.intervalValue);
      if (isLeaving()) return;
      underWay = send(event.detail.trigger).finally(() => { underWay = null; });
      await underWay;
    };
    form.addEventListener("w-autosave:success", () => {
      failed = null;
      wait = RETRY.first;
    });
    form.addEventListener("w-autosave:error", ({ detail }) => {
      failed = JSON.stringify(sent);
      retryAt = FINAL.includes(detail.type) ? Infinity : Date.now() + wait;
      wait = Math.min(wait * 2, RETRY.longest);
    });
    form.addEventListener("w-autosave:deactivated", ({ detail }) => {
      if (detail.error?.name !== "HydrationError") return;
      // It was saved, but the page could not become an editor of what was saved: once more.
      hydrateUrl = detail.response.hydrate_url;
      autosave.activeValue = true;
    });
    const tryNow = () => { retryAt = 0; };
    window.addEventListener("online", tryNow);
    document.addEventListener("staff:signed-in", tryNow);

    // --- Looking.
    const look = () => {
      if (!form.isConnected) return;
      show();
      const now = written();
      if (now === saved) cleanAt = Date.now();
      if (now === saved || autosave.submitPromise || !autosave.activeValue) return;
      if (now === failed && Date.now() < retryAt) return;
      if (!isTyping() || Date.now() - cleanAt > LONGEST) autosave.save();
    };
    const settling = setInterval(() => { saved = written(); }, 100);
    const begin = () => {
      clearInterval(settling);
      GESTURES.forEach((name) => document.removeEventListener(name, begin, true));
    };
    if (saved) {
      GESTURES.forEach((name) => document.addEventListener(name, begin, true));
      setTimeout(begin, SETTLING);
    } else {
      begin();
    }
    const typed = (event) => {
      if (!form.contains(event.target)) return;
      if (event.type === "keydown" && !["Enter", "Backspace", "Delete"].includes(event.key)) return;
      typedAt = Date.now();
      show();
    };
    ["keydown", "beforeinput", "input", "change", "paste", "drop"].forEach((name) => {
      document.addEventListener(name, typed, true);
    });
    document.addEventListener("click", () => setTimeout(show));
    window.addEventListener("w-autosave:success", show);
    setInterval(look, LOOK);

    // --- A save by hand.
    form.addEventListener("submit", (event) => {
      leavingAt = Date.now();
      if (!underWay) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const button = event.submitter;
      Promise.race([underWay, pause(LEAVING / 3)]).finally(() => {
        underWay = null;
        button?.removeAttribute("disabled");
        form.requestSubmit(button);
      });
    }, true);
  };

  const controller = (form, name) => window.wagtail.app.getControllerForElementAndIdentifier(form, name);
  const wake = (form) => {
    if (!form?.matches("[data-edit-form]") || form.dataset.autosaved) return;
    const unsaved = controller(form, "w-unsaved");
    const autosave = controller(form, "w-autosave");
    if (!unsaved || !autosave) return;
    form.dataset.autosaved = "1";
    keep(form, unsaved, autosave);
  };
  // The second of the two is connected right after the first has said this.
  document.addEventListener("w-unsaved:ready", ({ target }) => queueMicrotask(() => wake(target)));
  wake(document.querySelector("form[data-edit-form]"));
})();
