// Tells what is being typed into the question box: after a pause, at the end of a sentence, and
// now and then after a word.
const PAUSE = 300; // ms without a key
const BETWEEN = 700; // ms between two tellings after a word, at least
const WORDS = 3;

let told = "";
let when = 0;
let timer = 0;

const box = (target) => target.closest?.("#box textarea");

function tell(text) {
  clearTimeout(timer);
  const enough = text.split(/\s+/).filter(Boolean).length >= WORDS;
  const next = enough ? text.trim() : "";
  if (next === told) return;
  told = next;
  when = performance.now();
  trigger("select", { value: next });
}

document.addEventListener("input", ({ target }) => {
  if (!box(target)) return;
  clearTimeout(timer);
  const ended = /[.?!]$/.test(target.value) || (/\s$/.test(target.value) && performance.now() - when >= BETWEEN);
  timer = setTimeout(() => tell(target.value), ended ? 0 : PAUSE);
});

// What was asked is prepared no longer, and may be typed once more.
function asked() {
  clearTimeout(timer);
  told = "";
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && box(event.target)) asked();
}, true);
document.addEventListener("click", ({ target }) => target.closest?.("#ask, #new, .examples button") && asked(), true);
