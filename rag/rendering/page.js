// What the page does by itself: follow citation marks, keep the question box in focus, bring a new question into view.
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const scrolling = () => (calm.matches ? "auto" : "smooth");
  const texts = () => document.querySelector("#masthead h1")?.dataset ?? {};
  const box = () => document.querySelector("#box textarea");

  function showSource(card) {
    const section = card.closest(".evidence");
    for (const other of section.parentElement.children) other.hidden = other !== section;
    for (const other of section.parentElement.querySelectorAll(".found")) other.classList.remove("found");
    void card.offsetWidth; // restarts the animation when the same mark is followed twice
    card.classList.add("found");
    card.focus({ preventScroll: true });
    card.scrollIntoView({ behavior: scrolling(), block: "nearest" });
  }

  function follow(link) {
    const target = document.getElementById(link.hash.slice(1));
    if (!target) return;
    if (target.matches(".source")) return showSource(target);
    target.scrollIntoView({ behavior: scrolling(), block: "start" });
    target.querySelector(".cite")?.focus({ preventScroll: true });
  }

  // The article behind a mark replaces the sources as soon as it is here; until then its card is shown.
  function open(link) {
    const [, number, passage] = link.hash.match(/^#source-(.+)-(\d+)$/) ?? [];
    const from = link.closest("#past, #current");
    if (!from || !passage) return;
    const detail = { act: "open", number, passage };
    from.querySelector("[data-number], .exchange")?.dispatchEvent(
      new CustomEvent("citeline:open", { bubbles: true, detail }),
    );
  }

  // The line for who is here for the first time goes for good once it was read.
  const TOURED = "citeline toured";
  try {
    document.documentElement.classList.toggle("toured", localStorage.getItem(TOURED) !== null);
  } catch {} // a browser that keeps nothing shows it every time
  function endTour() {
    document.documentElement.classList.add("toured");
    try {
      localStorage.setItem(TOURED, "yes");
    } catch {}
    box()?.focus();
  }

  // Gradio notices that the connection is lost, looks for it every two seconds and loads the page anew once it is back.
  // Its message gives way to a line of ours, and what was being typed is kept.
  const DRAFT = "citeline draft";
  function tellOfLoss() {
    const message = [...document.querySelectorAll("[data-testid=toast-text]")].find((text) =>
      text.textContent.startsWith("Connection to the server was lost"),
    );
    if (!message || document.querySelector("#lost")) return;
    message.closest(".toast-item").style.display = "none";
    const answering = document.querySelector("#current .pending");
    const line = Object.assign(document.createElement("p"), { id: "lost", role: "status" });
    document.body.append(line);
    line.textContent = answering ? texts().lost : texts().away;
  }
  addEventListener("pagehide", () => {
    if (!document.querySelector("#lost")) navigator.sendBeacon("leaving"); // else it is Gradio that loads the page
    try {
      sessionStorage.setItem(DRAFT, box()?.value ?? "");
    } catch {}
  });
  let restored = false;
  function restoreDraft() {
    if (restored || !box()) return;
    restored = true;
    try {
      const draft = sessionStorage.getItem(DRAFT);
      sessionStorage.removeItem(DRAFT);
      if (!draft || box().value) return;
      box().value = draft;
      box().dispatchEvent(new Event("input", { bubbles: true }));
    } catch {}
  }

  async function copy(button) {
    const text = button.dataset.text;
    try {
      await navigator.clipboard.writeText(text);
    } catch { // without https only the machine itself may use the clipboard that way
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const label = button.textContent;
    button.textContent = texts().copied;
    setTimeout(() => (button.textContent = label), 1500);
  }

  function showDrawer(shown) {
    document.body.classList.toggle("drawer-open", shown);
    const toggle = document.querySelector(".shelf-toggle");
    toggle?.setAttribute("aria-expanded", String(shown));
    if (shown) document.querySelector("#find input, #find textarea")?.focus();
    else toggle?.focus();
  }
  const drawerShown = () => document.body.classList.contains("drawer-open");

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a.cite, a.back");
      if (link) {
        event.preventDefault(); // the page's address may have a query, which following the anchor would drop
        if (link.matches(".cite") && document.querySelector("#reading .reader")) return open(link);
        follow(link);
        if (link.matches(".cite")) open(link);
        return;
      }
      const pressed = event.target.closest("[data-act=copy]");
      if (pressed) return void copy(pressed);
      if (event.target.closest(".tour .seen")) return endTour();
      if (event.target.closest(".shelf-toggle")) return showDrawer(!drawerShown());
      if (drawerShown() && (!event.target.closest("#drawer") || event.target.closest("[data-act=go]"))) showDrawer(false);
      const empty = !box()?.value.trim();
      if (event.target.closest("#ask") && empty) event.stopPropagation();
      if (event.target.closest("#ask, #stop, #new, .examples button")) box()?.focus();
    },
    true,
  );

  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !typing(event.target)) {
      event.preventDefault();
      box()?.focus();
    } else if (event.key === "Escape") {
      if (drawerShown()) showDrawer(false);
      else if (document.querySelector("#desk .pending")) document.querySelector("#stop")?.click();
      else if (document.querySelector("#reading .reader")) document.querySelector("#reading [data-act=close]").click();
    } else if (/^Arrow(Up|Down)$/.test(event.key) && event.target.matches(".source")) {
      const cards = [...document.querySelectorAll("#panel .evidence:not([hidden]) .source")];
      const next = cards[cards.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) {
        event.preventDefault();
        showSource(next);
      }
    }
  });

  // What the page's address, a file that was made and an article that was opened ask for once they are there.
  let reader = null;
  function settle() {
    const { lang, dir } = texts();
    if (lang && document.documentElement.lang !== lang) document.documentElement.lang = lang;
    if (dir && document.documentElement.dir !== dir) document.documentElement.dir = dir;
    // Gradio names these in English only; what stands on them is in the reader's language.
    for (const drop of document.querySelectorAll("#files button[aria-label], #bulk-file button[aria-label]"))
      drop.removeAttribute("aria-label");
    tellOfLoss();
    restoreDraft();
    const place = document.querySelector("#place .place");
    if (place) {
      const address = new URL(location);
      const shown = place.dataset.conversation;
      if (shown) address.searchParams.delete("shared");
      if (shown) address.searchParams.set("c", shown);
      else if (!place.hasAttribute("data-read-only") && arrived) address.searchParams.delete("c");
      if (address.href !== location.href) history.replaceState(history.state, "", address);
      if (shown) arrived = true;
    }
    const handout = document.querySelector("#handout .handout:not(.taken)");
    if (handout) {
      handout.classList.add("taken");
      handout.click();
    }
    const now = document.querySelector("#reading .reader");
    if (now && now !== reader) {
      document.querySelector("#side").scrollTop = 0;
      const target = now.querySelector(".target");
      target?.focus({ preventScroll: true });
      (target ?? now).scrollIntoView({ behavior: "auto", block: target ? "center" : "nearest" });
    }
    reader = now;
  }
  let arrived = !new URLSearchParams(location.search).has("c");

  // A new question comes into view; while its answer grows below the edge of the question box, the page follows.
  let newest = "";
  let growing = false;
  new MutationObserver(() => {
    settle();
    const exchange = document.querySelector("#current .exchange");
    if (exchange && exchange.id !== newest) {
      document.querySelector("#side").scrollTop = 0;
      exchange.scrollIntoView({ behavior: scrolling(), block: "start" });
    } else if (exchange && growing) {
      const edge = document.querySelector("#question").getBoundingClientRect().top;
      const hidden = exchange.getBoundingClientRect().bottom - edge;
      if (hidden > 0 && hidden < 200) scrollBy({ top: hidden + 16 }); // farther away, someone scrolled back to read
    }
    newest = exchange?.id ?? "";
    growing = exchange?.matches(".pending") ?? false;
  }).observe(document, { childList: true, subtree: true, characterData: true });
})();
