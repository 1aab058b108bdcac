// SPDX-License-Identifier: AGPL-3.0-or-later
// Asks the browser for a passkey when a form marked data-passkey ("get" or "create") is sent, and
// sends what it gave. The challenge is fetched only then, so another tab does not spoil it.
(() => {
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const asked = (options) => {
    const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    if (key.user) key.user = { ...key.user, id: bytes(key.user.id) };
    if (key.allowCredentials) key.allowCredentials = named(key.allowCredentials);
    if (key.excludeCredentials) key.excludeCredentials = named(key.excludeCredentials);
    return { publicKey: key };
  };
  const given = (credential) => {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      const value = credential.response[part];
      if (value) response[part] = text(value);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return {
      type: credential.type, id: credential.id, rawId: text(credential.rawId), response,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const options = async (form) => {
    let response;
    try {
      response = await fetch(form.dataset.options, {
        headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" }, cache: "no-store",
      });
    } catch {
      throw new Error(form.dataset.silent);
    }
    if (response.status === 429) throw new Error((await response.json()).error);
    if (!response.ok || !(response.headers.get("Content-Type") || "").includes("json")) {
      throw new Error(form.dataset.silent);
    }
    return asked(await response.json());
  };

  const show = async (form) => {
    if (!window.PublicKeyCredential) throw new Error(form.dataset.missing);
    const wanted = await options(form);
    try {
      return await navigator.credentials[form.dataset.passkey](wanted);
    } catch (error) {
      if (error.name === "InvalidStateError") throw new Error(form.dataset.there);
      throw new Error(error.name === "SecurityError" ? form.dataset.missing : form.dataset.refused);
    }
  };

  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    const said = form.querySelector("[role=alert]");
    const button = form.querySelector("button");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      said.hidden = true;
      button.disabled = true;
      try {
        form.elements.credential.value = JSON.stringify(given(await show(form)));
        const remember = document.getElementById("id_remember");
        if (remember && remember.checked) {
          const kept = Object.assign(document.createElement("input"), { type: "hidden", name: "remember", value: "on" });
          form.append(kept);
        }
        HTMLFormElement.prototype.submit.call(form);
      } catch (error) {
        said.textContent = error.message;
        said.hidden = false;
        button.disabled = false;
      }
    });
  });
  // Back and forward bring the page as it was left: the button must work again.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-passkey] button").forEach((button) => { button.disabled = false; });
  });
})();
