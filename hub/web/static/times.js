// Durations that go on by themselves: `data-since` (how long since) and `data-until` (how long until), RFC 3339.

const { lang } = document.documentElement;
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
const formats = new Map(UNITS.map(([unit]) => [unit, new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "short" })]));

function words(seconds) {
  let rest = Math.max(Math.floor(seconds), 0);
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count || (unit === "second" && !parts.length)) parts.push(formats.get(unit).format(count));
    else if (parts.length) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

export function tick() {
  const now = Date.now();
  document.querySelectorAll("[data-since]").forEach((each) => { each.textContent = words((now - Date.parse(each.dataset.since)) / 1000); });
  document.querySelectorAll("[data-until]").forEach((each) => {
    const left = Math.trunc((Date.parse(each.dataset.until) - now) / 1000); // no «−0»
    each.classList.toggle("late", left < 0);
    each.textContent = (left < 0 ? "−" : "") + words(Math.abs(left));
  });
}

export function begin() {
  tick();
  setInterval(tick, 1000);
  document.addEventListener("htmx:afterSwap", tick);
  document.addEventListener("placed", tick);
}
