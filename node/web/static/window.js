// The click window: tells the page that opened it, goes at once where the reader has agreed to that,
// and takes no click that was meant for what lay under it. Without this script all of it is forms.

const ARMED_AFTER_MS = 400;
const LEAVES_AFTER_MS = 3500;

let box = document.getElementById("window");
const pressable = () => box.querySelectorAll("form button");

// The page that opened us hears of it only if it is of the site whose thing this is: browsers
// compare `to` with its origin, and drop the message if it is another.
const tell = () => {
  if (!box.dataset.told || !window.opener || !box.dataset.to) return;
  window.opener.postMessage(JSON.parse(box.dataset.told), box.dataset.to);
};

// A page may open this window under the pointer between the two clicks of a double click.
let arming;
let sent = false;
const arm = () => {
  clearTimeout(arming);
  for (const button of pressable()) button.setAttribute("aria-disabled", "true");
  arming = setTimeout(() => {
    arming = undefined;
    for (const button of pressable()) button.removeAttribute("aria-disabled");
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

// With the reader's consent for this site: once, when somebody really looks at the page. The answer
// is the same window, which takes this one's place without being loaded again.
const go = async () => {
  if (window.top !== window || document.visibilityState !== "visible" || sent) return;
  const form = box.querySelector('form[data-does="flattr"]');
  if (!form) return;
  sent = true;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("at_once", "1");
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields });
    const shown = new DOMParser().parseFromString(await answer.text(), "text/html");
    const after = shown.getElementById("window");
    if (!after) return form.submit(); // what is wrong is told on a page of its own
    box.replaceWith(after);
    box = after;
    wire();
  } catch {
    // Nothing came back: the button stays, and can be pressed.
  }
  sent = false;
};

// Told at once; and then it goes away by itself, unless somebody does something here.
const wire = () => {
  tell();
  if ("leaves" in box.dataset && window.opener) {
    const leaving = setTimeout(() => window.close(), LEAVES_AFTER_MS);
    for (const kind of ["pointermove", "pointerdown", "keydown", "touchstart"]) {
      addEventListener(kind, () => clearTimeout(leaving), { once: true, passive: true });
    }
  }
  for (const button of box.querySelectorAll("[data-closes]")) {
    button.hidden = !window.opener;
    button.addEventListener("click", () => window.close());
  }
  if ("atOnce" in box.dataset) {
    if (document.prerendering) document.addEventListener("prerenderingchange", go, { once: true });
    else go();
  }
};
wire();
