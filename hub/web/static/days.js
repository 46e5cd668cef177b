// Between the entries of a timeline the day begins anew where it does: `<li class="day">`, by the office's own dates.

import { onceFor } from "./once.js";
import { hold } from "./steady.js";

const { lang } = document.documentElement;
const named = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
const dated = new Intl.DateTimeFormat(lang, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const near = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });

// The title of a time is the office's: `23.11.2026 14:37:20`.
const dayOf = (entry) => entry.querySelector(":scope > .head time")?.title.slice(0, 10) ?? "";
const parsed = (day) => new Date(Date.UTC(Number(day.slice(6, 10)), Number(day.slice(3, 5)) - 1, Number(day.slice(0, 2))));

function words(day) {
  const at = parsed(day);
  const now = new Date();
  const ago = Math.round((at - Date.UTC(now.getFullYear(), now.getMonth(), now.getDate())) / 86_400_000);
  if (ago === 0 || ago === -1) return near.format(ago, "day");
  return (now.getFullYear() === at.getUTCFullYear() ? named : dated).format(at);
}

function part(timeline) {
  const release = hold(timeline);
  const kept = new Set();
  let before = "";
  for (const each of [...timeline.children]) {
    const day = each.matches(".entry") ? dayOf(each) : "";
    if (!day || day === before) continue;
    let line = each.previousElementSibling;
    if (!line?.matches(".day")) {
      line = document.createElement("li");
      line.className = "day";
      each.before(line);
    }
    const said = words(day);
    if (line.textContent !== said) line.textContent = said;
    kept.add(line);
    before = day;
  }
  timeline.querySelectorAll(":scope > .day").forEach((line) => { if (!kept.has(line)) line.remove(); });
  release();
}

const partAll = () => { document.querySelectorAll("ol.timeline").forEach(part); };

export function begin() {
  partAll();
  const soon = onceFor(partAll);
  document.addEventListener("htmx:afterSettle", soon);
  document.addEventListener("placed", soon);
}
