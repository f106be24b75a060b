// <flattr-button>: a button that flattrs a page. For site owners: docs/button.md of flattr-node.
//
//   <script async src="https://NODE/button.js"></script>
//   <flattr-button url="https://blog.example/a-post" title="A post">
//     <a href="https://NODE/click?url=https%3A%2F%2Fblog.example%2Fa-post">Flattr this</a>
//   </flattr-button>
//
// It stores nothing, sends no cookie, and needs of a Content-Security-Policy only the node's origin
// in script-src and connect-src. Without this script the link inside the element does the same.
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector('script[src*="/button.js"]');
  const node = new URL(script.src).origin;
  const SVG = "http://www.w3.org/2000/svg";
  const MARK = "M5 5h10v3H8v2h5v3H8v4H5z";
  const buttons = new Set();

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: inline-block; vertical-align: middle; }
    :host([hidden]) { display: none; }
    a { display: inline-flex; height: 28px; border-radius: 7px; overflow: hidden; font: 600 14px/28px
      system-ui, sans-serif; text-decoration: none; color: #fff; background: #1d4d3c;
      border: 1px solid #1d4d3c; }
    a:hover { filter: brightness(1.15); }
    a:focus-visible { outline: 3px solid #f4b942; outline-offset: 2px; }
    svg { width: 20px; height: 20px; margin: 4px 2px 4px 5px; fill: #f4b942; }
    .word { padding-right: 9px; }
    .count { padding: 0 9px; background: #e7efe9; color: #1d2a24; font-variant-numeric: tabular-nums; }
    .count:empty { display: none; }
    .done { background: #b86b00; border-color: #b86b00; }
    .done svg { fill: #fff; }
    @media (prefers-reduced-motion: no-preference) { a { transition: background .2s; } }`);

  const make = (tag, name, ...inside) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    made.append(...inside);
    return made;
  };

  class FlattrButton extends HTMLElement {
    static observedAttributes = ["url", "href", "title"];

    constructor() {
      super();
      const mark = document.createElementNS(SVG, "svg");
      mark.setAttribute("viewBox", "0 0 20 20");
      mark.setAttribute("aria-hidden", "true");
      mark.append(document.createElementNS(SVG, "path"));
      mark.firstChild.setAttribute("d", MARK);
      this.word = make("span", "word", "Flattr");
      this.number = make("span", "count");
      this.link = make("a", "", mark, this.word, this.number);
      this.link.setAttribute("part", "button");
      this.link.target = "flattr";
      this.link.rel = "payment";
      this.link.addEventListener("click", (event) => this.press(event));
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      root.append(this.link);
    }

    connectedCallback() {
      buttons.add(this);
      this.draw();
      this.load();
    }

    disconnectedCallback() {
      buttons.delete(this);
    }

    attributeChangedCallback() {
      if (!this.isConnected) return;
      this.draw();
      this.load();
    }

    // The page that is flattred: what the element says, what the document says, where we are.
    get url() {
      const canonical = document.querySelector('link[rel~="canonical"]');
      const said = this.getAttribute("url") || this.getAttribute("href") || canonical?.href;
      return new URL(said || location.href, document.baseURI).href.split("#")[0];
    }

    draw(count, flattred) {
      const words = new URLSearchParams({ url: this.url });
      const title = this.getAttribute("title");
      if (title) words.set("title", title);
      this.link.href = `${node}/click?${words}`;
      if (count !== undefined) this.number.textContent = count.toLocaleString();
      if (flattred !== undefined) {
        this.link.classList.toggle("done", flattred);
        this.word.textContent = flattred ? "Flattred" : "Flattr";
      }
      const said = [this.word.textContent, title || this.url];
      const flattrs = this.number.textContent;
      if (flattrs) said.push(`${flattrs} flattrs so far`);
      this.link.setAttribute("aria-label", `${said.join(", ")} (opens a small window)`);
    }

    async load(cache = "default") {
      const url = this.url;
      try {
        const asked = `${node}/api/v1/public/count?${new URLSearchParams({ url })}`;
        const answer = await fetch(asked, { credentials: "omit", cache });
        const { flattrs } = await answer.json();
        if (answer.ok && url === this.url && Number.isSafeInteger(flattrs)) this.draw(flattrs);
      } catch {
        // Blocked or away: the button works without its count.
      }
    }

    press(event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const left = screenX + Math.max(0, (outerWidth - 420) / 2);
      const place = `popup,width=420,height=560,left=${left | 0},top=${(screenY + 80) | 0}`;
      if (open(this.link.href, "flattr", place)) event.preventDefault();
    }
  }

  // What the window says: only the node's own origin is listened to.
  addEventListener("message", ({ origin, data }) => {
    if (origin !== node || data?.type !== "flattr") return;
    const { url, flattrs, flattred } = data;
    if (!Number.isSafeInteger(flattrs) || typeof flattred !== "boolean") return;
    for (const button of buttons) {
      if (button.url !== url) continue;
      button.draw(flattrs, flattred);
      const detail = { url, flattrs, flattred };
      button.dispatchEvent(new CustomEvent("flattr", { detail, bubbles: true, composed: true }));
    }
  });

  if (!customElements.get("flattr-button")) customElements.define("flattr-button", FlattrButton);
})();
