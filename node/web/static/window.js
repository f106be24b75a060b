// The click window: tells the page that opened it, goes at once where the reader has agreed to that,
// and takes no click that was meant for what lay under it. Without this script all of it is forms.

const ARMED_AFTER_MS = 400;
const LEAVES_AFTER_MS = 3500;

const box = document.getElementById("window");
const pressable = [...document.querySelectorAll("#window form button")];

// The page that opened us hears of it only if it is of the site whose thing this is: browsers
// compare `to` with its origin, and drop the message if it is another.
if (box.dataset.told && window.opener && box.dataset.to) {
  window.opener.postMessage(JSON.parse(box.dataset.told), box.dataset.to);
}

// A page may open this window under the pointer between the two clicks of a double click.
let arming;
let sent = false;
const arm = () => {
  clearTimeout(arming);
  for (const button of pressable) button.setAttribute("aria-disabled", "true");
  arming = setTimeout(() => {
    arming = undefined;
    for (const button of pressable) button.removeAttribute("aria-disabled");
  }, ARMED_AFTER_MS);
};
document.addEventListener("submit", (event) => {
  if (arming !== undefined || sent) event.preventDefault();
  else sent = true;
});
addEventListener("focus", arm);
addEventListener("pageshow", () => { sent = false; });
document.addEventListener("visibilitychange", arm);
arm();

// With the reader's consent for this site: once, when somebody really looks at the page.
const go = () => {
  if (window.top !== window || document.visibilityState !== "visible" || sent) return;
  const form = document.querySelector('form[data-does="flattr"]');
  if (!form) return;
  sent = true;
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "at_once", value: "1" });
  form.append(field);
  form.submit();
};
if ("atOnce" in box.dataset) {
  if (document.prerendering) document.addEventListener("prerenderingchange", go, { once: true });
  else go();
}

// Then it goes away by itself, unless somebody does something here.
if ("leaves" in box.dataset && window.opener) {
  const leaving = setTimeout(() => window.close(), LEAVES_AFTER_MS);
  for (const kind of ["pointermove", "pointerdown", "keydown", "touchstart"]) {
    addEventListener(kind, () => clearTimeout(leaving), { once: true, passive: true });
  }
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.hidden = !window.opener;
  button.addEventListener("click", () => window.close());
}
