// The operator's console: passkeys, and figures that follow a close and its payouts. The forms of
// passkeys say themselves what to do where this file does not run.

const bytes = (text) => Uint8Array.from(
  atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function get(asked) {
  const key = await navigator.credentials.get({ publicKey: {
    ...asked, challenge: bytes(asked.challenge), allowCredentials: named(asked.allowCredentials) } });
  const { clientDataJSON, authenticatorData, signature, userHandle } = key.response;
  return answer(key, {
    clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData),
    signature: text(signature), userHandle: userHandle ? text(userHandle) : null });
}

async function create(asked) {
  const key = await navigator.credentials.create({ publicKey: {
    ...asked, challenge: bytes(asked.challenge), user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: named(asked.excludeCredentials) } });
  const { clientDataJSON, attestationObject } = key.response;
  return answer(key, {
    clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) });
}

const answer = (key, response) => JSON.stringify({
  id: key.id, rawId: text(key.rawId), type: key.type, response, clientExtensionResults: {} });

function ask(form) {
  const { passkey, newPasskey } = form.dataset;
  form.addEventListener("submit", async (event) => {
    const { answer, made } = form.elements, trouble = form.querySelector("[data-trouble]");
    if (answer.value || made?.value) return;
    event.preventDefault();
    trouble.hidden = true;
    try {
      const confirmed = passkey ? await get(JSON.parse(passkey)) : "";
      if (newPasskey) made.value = await create(JSON.parse(newPasskey));
      answer.value = confirmed;
      form.submit();
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
  });
}

for (const form of document.querySelectorAll("form[data-passkey], form[data-new-passkey]")) ask(form);

const places = new Map([...document.querySelectorAll("[data-live]")].map((one) => [one.dataset.live, one]));
if (places.size) {
  const stream = new EventSource("/events");
  stream.addEventListener("message", (event) => {
    for (const [name, words] of Object.entries(JSON.parse(event.data))) {
      const place = places.get(name);
      if (!place || place.textContent.trim() === words) continue;
      place.textContent = words;
      if (name === "sending") place.closest("[role=status]").hidden = !words;
    }
  });
}
