// Durations that go on by themselves: `data-since` (how long since) and `data-until` (how long until), RFC 3339. They are
// said as the hub says them: `data-units` of the page has its words for days, hours, minutes and seconds.

import { onceFor } from "./once.js";

const WORDS = document.body.dataset.units.split("|");
const UNITS = [86_400, 3_600, 60, 1].map((size, at) => [size, WORDS[at]]);

function words(seconds) {
  let rest = Math.max(Math.floor(seconds), 0);
  const parts = [];
  for (const [size, word] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count || (size === 1 && !parts.length)) parts.push(word.replace("{n}", count));
    else if (parts.length) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

export function tick() {
  const now = Date.now();
  document.querySelectorAll("[data-since]").forEach((each) => {
    const passed = (now - Date.parse(each.dataset.since)) / 1000;
    const shown = words(each.hasAttribute("data-calm") && passed > 60 ? passed - (passed % 60) : passed); // calm: no seconds
    if (each.textContent !== shown) each.textContent = shown;
  });
  document.querySelectorAll("[data-until]").forEach((each) => {
    const left = Math.trunc((Date.parse(each.dataset.until) - now) / 1000); // no «−0»
    each.classList.toggle("late", left < 0);
    each.textContent = (left < 0 ? "−" : "") + words(Math.abs(left));
  });
}

export function begin() {
  tick();
  setInterval(tick, 1000);
  const soon = onceFor(tick);
  document.addEventListener("htmx:afterSwap", soon);
  document.addEventListener("placed", soon);
}
