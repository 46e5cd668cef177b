// Parts of the page that know what they show: `data-topic="cases leads"` with `hx-get` and `hx-trigger="stale"` asks anew
// when one of these is stale; `data-pieces="client:5"` takes finished pieces, in the order of their `data-order`
// (`data-grows="up"`: the newest first).

const SETTLE_MS = 150;
const SPREAD_MS = 250; // so that a hundred pages do not ask in the same moment
const LATER_MS = 1500;

const split = (text) => (text ?? "").split(/\s+/).filter(Boolean);

export function topicsHere() {
  const found = new Set(["me"]);
  document.querySelectorAll("[data-topic]").forEach((each) => split(each.dataset.topic).forEach((topic) => found.add(topic)));
  document.querySelectorAll("[data-pieces]").forEach((each) => split(each.dataset.pieces).forEach((topic) => found.add(topic)));
  return [...found];
}

const typing = (region) => {
  const { activeElement } = document;
  return region.contains(activeElement) && activeElement.matches("input:not([type=checkbox],[type=radio]), textarea, select");
};

const busy = (region) => document.hidden || typing(region) || region.querySelector("details[open], dialog[open], .dragging") !== null
  || [...region.querySelectorAll("audio")].some((audio) => !audio.paused);

const waiting = new Map(); // region -> timer

function schedule(region, delay) {
  if (waiting.has(region)) return;
  waiting.set(region, setTimeout(() => {
    waiting.delete(region);
    if (!region.isConnected) return;
    if (busy(region)) schedule(region, LATER_MS);
    else htmx.trigger(region, "stale");
  }, delay));
}

export function refreshStale(topics) {
  const all = topics.includes("*");
  document.querySelectorAll("[data-topic][hx-get]").forEach((region) => {
    if (all || split(region.dataset.topic).some((topic) => topics.includes(topic))) {
      schedule(region, SETTLE_MS + Math.random() * SPREAD_MS);
    }
  });
}

function put(container, element) {
  const up = container.dataset.grows === "up";
  const order = element.dataset.order ?? "";
  const behind = [...container.children].filter((each) => each.dataset.order !== undefined)
    .find((each) => (up ? each.dataset.order < order : each.dataset.order > order));
  container.insertBefore(element, behind ?? null);
  while (container.children.length > Number(container.dataset.most ?? Infinity)) {
    (up ? container.lastElementChild : container.firstElementChild).remove();
  }
}

export function placePiece({ topic, key, html }) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const element = template.content.firstElementChild;
  if (element === null) return;
  const known = document.getElementById(key);
  if (known) {
    if ([...known.querySelectorAll("audio")].some((audio) => !audio.paused)) return;
    known.replaceWith(element);
  } else {
    const container = [...document.querySelectorAll("[data-pieces]")].find((each) => split(each.dataset.pieces).includes(topic));
    if (!container) return;
    put(container, element);
  }
  htmx.process(element);
  element.dispatchEvent(new CustomEvent("placed", { bubbles: true, detail: { fresh: !known } }));
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) waiting.forEach((timer, region) => { clearTimeout(timer); waiting.delete(region); schedule(region, 0); });
});
document.addEventListener("htmx:sendError", (event) => {
  if (event.target.matches("[data-topic]")) schedule(event.target, LATER_MS * 3);
});
