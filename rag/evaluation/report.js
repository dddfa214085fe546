// Filters the list of questions, and opens the one that a link leads to. The page is complete without it.

"use strict";

const form = document.getElementById("filter");
const words = document.getElementById("words");
const kind = document.getElementById("kind");
const count = document.getElementById("count");

let known = null;

function entries() {
  known ??= [...document.querySelectorAll(".entry")].map((element) => ({
    element,
    kinds: element.dataset.kinds.split(" "),
    text: textOf(element.querySelectorAll(".wording, .answer, .accepted")),
  }));
  return known;
}

function textOf(parts) {
  return [...parts].map((part) => part.textContent).join("\n").toLowerCase();
}

function filter() {
  const sought = words.value.trim().toLowerCase();
  let shown = 0;
  for (const { element, kinds, text } of entries()) {
    const fits = (!kind.value || kinds.includes(kind.value)) && text.includes(sought);
    element.hidden = !fits;
    shown += fits;
  }
  count.textContent = `${shown.toLocaleString("en")} of ${entries().length.toLocaleString("en")} shown`;
}

function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  const entry = target?.closest(".entry");
  if (!entry) return;
  if (entry.hidden) {
    words.value = "";
    kind.value = "";
    filter();
  }
  entry.open = true;
  target.scrollIntoView();
}

if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  addEventListener("hashchange", reveal);
  filter();
  reveal();
}
