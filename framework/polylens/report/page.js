"use strict";
/* The page is read whole without this. With it clusters are searched, sorted and shown page by page, the theme
   is switched and the spec copied. Nothing is fetched, and text of the data is never made markup. */
(() => {
  const PAGE = 24;
  const VIEW = /^#view-([\w-]+)\?(.*)$/;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const partitions = new Map();

  /* Inside of a frame without rights the address cannot be changed: then the view is not kept in it. */
  function remember(fragment) {
    try { history.replaceState(null, "", fragment); } catch { /* no rights */ }
  }

  class Partition {
    constructor(section) {
      this.key = section.id;
      this.section = section;
      this.tools = section.querySelector(".tools");
      this.grid = section.querySelector(".cards");
      this.cards = all(".cards > .card", section);
      this.pages = section.querySelector(".pages");
      this.count = this.tools.querySelector("output");
      this.limit = PAGE;
      section.querySelector(".rest")?.remove();
      this.tools.hidden = false;
      this.tools.addEventListener("input", () => this.change());
      this.tools.addEventListener("submit", event => event.preventDefault());
      this.tools.elements.again.addEventListener("click", () => { this.tools.reset(); this.change(); });
      this.pages.querySelector("[name=more]").addEventListener("click", () => this.extend(this.limit + PAGE));
      this.pages.querySelector("[name=all]").addEventListener("click", () => this.extend(Infinity));
      this.show();
    }

    value(name) { return this.tools.elements[name]?.value ?? ""; }

    change() {
      this.limit = PAGE;
      this.show();
      const kept = new URLSearchParams();
      for (const [name, value] of new FormData(this.tools)) {
        const field = this.tools.elements[name];
        const first = field.options ? field.options[0].value : "";
        if (value !== first) kept.set(name, value);
      }
      remember(kept.size ? `#view-${this.key}?${kept}` : `#${this.key}`);
    }

    restore(text) {
      this.tools.reset();
      for (const [name, value] of new URLSearchParams(text)) {
        if (this.tools.elements[name]) this.tools.elements[name].value = value;
      }
      this.limit = PAGE;
      this.show();
    }

    /* Label, number, and what the examples say or are called, without its neighbours' labels; gathered at the first
       search. */
    text(card) {
      this.texts ??= new Map();
      if (!this.texts.has(card)) {
        const said = all("header, .passages li", card).map(item => item.textContent);
        const called = all("[title]", card).map(item => item.title);
        this.texts.set(card, [...said, ...called].join(" ").replace(/\s+/g, " ").toLowerCase());
      }
      return this.texts.get(card);
    }

    matching() {
      const query = this.value("q").trim().replace(/\s+/g, " ").toLowerCase();
      const verdict = this.value("verdict"), score = this.value("score");
      const bound = (name, otherwise) => this.value(name) === "" ? otherwise : Number(this.value(name));
      const least = bound("least", 0), from = bound("from", -Infinity), to = bound("to", Infinity);
      const bounded = from > -Infinity || to < Infinity;
      return this.cards.filter(card =>
        (!verdict || card.dataset.verdict === verdict)
        && Number(card.dataset.size) >= least
        && (!bounded || (Number(card.dataset[score]) >= from && Number(card.dataset[score]) <= to))
        && (!query || this.text(card).includes(query)));
    }

    sorted(cards) {
      const order = this.value("sort"), falling = order.startsWith("-"), name = falling ? order.slice(1) : order;
      const number = card => Number(card.dataset.number);
      const words = new Intl.Collator(undefined, { numeric: true });
      const compare = name === "label"
        ? (a, b) => words.compare(a.dataset.label ?? "", b.dataset.label ?? "")
        : (a, b) => (falling ? -1 : 1) * (Number(a.dataset[name]) - Number(b.dataset[name]));
      return cards.sort((a, b) => compare(a, b) || number(a) - number(b));
    }

    show() {
      const matching = this.sorted(this.matching());
      const shown = Math.min(this.limit, matching.length);
      this.grid.classList.toggle("many", shown > 4 * PAGE);
      this.grid.replaceChildren(...matching.slice(0, this.limit));
      const of = matching.length === this.cards.length ? "" : ` of ${this.cards.length.toLocaleString("en")}`;
      this.count.textContent = `${matching.length.toLocaleString("en")}${of} clusters`
        + (shown < matching.length ? `, the first ${shown} shown` : "");
      this.pages.hidden = shown === matching.length;
    }

    extend(limit) { this.limit = limit; this.show(); }

    /* Brings a card onto the page whatever was chosen, opens it and goes there. */
    reveal(card) {
      let place = this.sorted(this.matching()).indexOf(card);
      if (place < 0) {
        this.tools.reset();
        place = this.sorted(this.matching()).indexOf(card);
      }
      if (place >= this.limit) this.limit = PAGE * Math.ceil((place + 1) / PAGE);
      this.show();
      const more = card.querySelector(".opened");
      if (more) more.open = true;
      /* Where a card is can be told only when all above it are laid out. */
      this.grid.classList.remove("many");
      card.scrollIntoView({ block: "start" });
      card.querySelector("h4").focus({ preventScroll: true });
    }
  }

  for (const section of all(".partition:has(> .tools)")) partitions.set(section.id, new Partition(section));

  function go(fragment) {
    const view = VIEW.exec(fragment);
    if (view && partitions.has(view[1])) {
      const partition = partitions.get(view[1]);
      partition.restore(view[2]);
      partition.section.scrollIntoView();
      return true;
    }
    for (const partition of partitions.values()) {
      const card = partition.cards.find(card => `#${card.id}` === fragment);
      if (card) { partition.reveal(card); return true; }
    }
    return false;
  }

  document.addEventListener("click", event => {
    const link = event.target.closest('a[href^="#"]');
    if (link && go(link.getAttribute("href"))) {
      event.preventDefault();
      remember(link.getAttribute("href"));
    }
  });
  addEventListener("hashchange", () => go(location.hash));
  go(location.hash);
  /* What is printed is all that was chosen, not its first page. */
  addEventListener("beforeprint", () => { for (const partition of partitions.values()) partition.extend(Infinity); });

  const theme = document.querySelector(".theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  theme.addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; name(); });
  dark.addEventListener("change", name);
  name();

  for (const button of all("button.copy")) {
    const text = button.parentElement.querySelector("pre");
    button.hidden = false;
    button.addEventListener("click", async () => {
      let copied = true;
      try { await navigator.clipboard.writeText(text.textContent); } catch {
        /* Without the right to the clipboard: as by hand. */
        getSelection().selectAllChildren(text);
        copied = document.execCommand("copy");
      }
      button.textContent = copied ? "Copied" : "Selected: copy it with Ctrl-C";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  /* Reports lie beside this page in the store and nowhere else: elsewhere their links would lead nowhere. */
  const inStore = /\/v\d+\/overview\/[0-9a-f]+\/[^/]*$/.test(location.pathname) && location.protocol === "file:";
  if (inStore) for (const link of all("a.report")) link.setAttribute("href", link.dataset.report);
})();
