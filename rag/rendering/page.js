// What the page does by itself: follow citation marks, keep the question box in focus, bring a new question into view.
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const scrolling = () => (calm.matches ? "auto" : "smooth");
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

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a.cite, a.back");
      if (link) {
        event.preventDefault(); // the page's address may have a query, which following the anchor would drop
        follow(link);
        return;
      }
      const empty = !box()?.value.trim();
      if (event.target.closest("#ask") && empty) event.stopPropagation();
      if (event.target.closest("#ask, #stop, #new, .examples button")) box()?.focus();
    },
    true,
  );

  // A new question comes into view; while its answer grows below the edge of the question box, the page follows.
  let newest = "";
  let growing = false;
  new MutationObserver(() => {
    const exchange = document.querySelector("#current .exchange");
    if (exchange && exchange.id !== newest) {
      document.querySelector("#panel").scrollTop = 0;
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
