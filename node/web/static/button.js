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
  const buttons = new Set();

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: inline-block; vertical-align: middle; }
    :host([hidden]) { display: none; }
    .all { display: inline-flex; position: relative; font: 600 14px/30px system-ui, sans-serif;
      padding: 0; border: 0; background: none; text-decoration: none; border-radius: 8px; cursor: pointer; }
    .all:focus-visible { outline: 3px solid #c98a10; outline-offset: 2px; }
    .face { display: flex; align-items: center; padding: 0 11px 0 8px; border-radius: 8px; color: #fff;
      background: #0b6b4f; z-index: 1; }
    .all:hover .face { background: #07513b; }
    svg { width: 18px; height: 18px; margin-right: 6px; fill: none; stroke: #fff; stroke-width: 5; }
    .part, .done svg { stroke: #ffc24b; }
    .count { margin-left: -8px; padding: 0 10px 0 17px; border-radius: 8px; color: #07513b;
      background: #d3ebe0; font-variant-numeric: tabular-nums; }
    .count:empty { display: none; }
    .more { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    @media (prefers-reduced-motion: no-preference) { .face, svg { transition: .25s; } }`);

  // Six equal shares, and one of them is this page's.
  const draw = () => {
    const mark = document.createElementNS(SVG, "svg");
    mark.setAttribute("viewBox", "5 5 22 22");
    mark.setAttribute("aria-hidden", "true");
    for (const [name, dashes] of [["", ".8 .2"], ["part", ".8 5.2"]]) {
      const ring = document.createElementNS(SVG, "circle");
      const said = { class: name, cx: 16, cy: 16, r: 8.5, pathLength: 6, "stroke-dasharray": dashes };
      for (const key in said) ring.setAttribute(key, said[key]);
      ring.setAttribute("transform", "rotate(-84 16 16)");
      mark.append(ring);
    }
    return mark;
  };

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
      this.word = make("span", "word", "Flattr");
      this.number = make("span", "count");
      this.more = make("span", "more");
      this.link = make("a", "all", make("span", "face", draw(), this.word), this.number, this.more);
      this.link.setAttribute("part", "button");
      this.link.target = "flattr";
      this.link.rel = "payment";
      this.link.addEventListener("click", (event) => this.press(event));
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      root.append(this.link);
    }

    connectedCallback() {
      if (this.hasAttribute("sample")) return this.rehearse();
      buttons.add(this);
      this.draw();
      this.load();
    }

    disconnectedCallback() {
      buttons.delete(this);
    }

    attributeChangedCallback() {
      if (!this.isConnected || this.hasAttribute("sample")) return;
      this.draw();
      this.load();
    }

    // A sample with its count: it looks the same, but asks nobody and tells nobody.
    rehearse() {
      const button = make("button", "all", ...this.link.childNodes);
      const show = (flattred) => {
        button.ariaPressed = flattred;
        this.show(+this.getAttribute("sample") + flattred, flattred);
      };
      button.type = "button";
      button.onclick = () => show(button.ariaPressed === "false");
      this.link.replaceWith(button);
      this.link = button;
      this.more.textContent = `: ${this.title}`;
      show(false);
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
      this.show(count, flattred);
      const counted = this.number.textContent ? " flattrs so far" : "";
      this.more.textContent = `${counted}: ${title || this.url} (opens a small window)`;
    }

    show(count, flattred) {
      if (count !== undefined) this.number.textContent = count.toLocaleString();
      if (flattred === undefined) return;
      this.link.classList.toggle("done", flattred);
      this.word.textContent = flattred ? "Flattred" : "Flattr";
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
