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

let pressed = null; // what the pointer is down on: a click on what was replaced meanwhile would be lost

// What was opened is left alone while somebody is at it, and for a moment after; left open for good it holds nothing up.
const OPEN_MS = 5000;
const opened = new WeakMap(); // details -> when it was opened

document.addEventListener("toggle", ({ target }) => { if (target.open) opened.set(target, Date.now()); }, true);

const inHand = (details) => details.matches(":hover, :focus-within") || Date.now() - (opened.get(details) ?? 0) < OPEN_MS
  || [...details.querySelectorAll("input:not([type=hidden],[type=checkbox],[type=radio]), textarea")].some((field) => field.value !== field.defaultValue);

const busy = (region) => document.hidden || typing(region) || region.contains(pressed) || region.querySelector("dialog[open], .dragging, .chosen > li") !== null
  || [...region.querySelectorAll("details[open]")].some(inHand)
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

// What was asked for may come while somebody has begun to write or to press: then it comes later. Where the keyboard
// stands, it stays.
let kept = null; // { region, home: the id of what holds the focus, place: its place in there }

const REACHED = "a[href], button, input, select, textarea, summary, [tabindex]";

function keepFocus(region) {
  const { activeElement } = document;
  kept = null;
  if (!region.contains(activeElement) || activeElement === region) return;
  const home = activeElement.closest("[id]");
  kept = { region, home: home.id, place: [home, ...home.querySelectorAll(REACHED)].indexOf(activeElement) };
}

function restoreFocus(region) {
  const was = kept?.region.id === region.id ? kept : null;
  kept = null;
  const home = was && document.activeElement === document.body ? document.getElementById(was.home) : null;
  if (home) [home, ...home.querySelectorAll(REACHED)][was.place]?.focus({ preventScroll: true });
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { elt, triggeringEvent } = detail.requestConfig;
  if (triggeringEvent?.type !== "stale" || !elt.matches("[data-topic]")) return;
  if (busy(elt)) { detail.shouldSwap = false; schedule(elt, LATER_MS); } else keepFocus(elt);
});
document.addEventListener("htmx:afterSwap", ({ target }) => { if (kept) restoreFocus(target); });
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.dataset?.missed) detail.parameters.missed = "1";
  if (detail.elt.dataset?.at) detail.parameters.at = detail.elt.dataset.at;
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && detail.requestConfig.parameters.missed) delete detail.elt.dataset.missed;
});
document.addEventListener("pointerdown", ({ target }) => { pressed = target; });
["pointerup", "pointercancel", "dragend"].forEach((name) => document.addEventListener(name, () => { setTimeout(() => { pressed = null; }); }));

export function refreshStale(topics, missed, within = 0, at = 0) {
  const all = topics.includes("*");
  document.querySelectorAll("[data-topic][hx-get]").forEach((region) => {
    if (all || split(region.dataset.topic).some((topic) => topics.includes(topic))) {
      if (missed && region.matches("[data-mends]")) region.dataset.missed = "1"; // it asks for the pieces, too
      if (at && region.matches("[data-shared]")) region.dataset.at = at; // an older answer of another node is none
      schedule(region, SETTLE_MS + Math.random() * Math.max(SPREAD_MS, within)); // the more pages follow, the wider
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
    if (known.dataset.closed !== undefined) { element.hidden = true; element.dataset.closed = ""; }
    known.replaceWith(element);
  } else {
    const container = [...document.querySelectorAll("[data-pieces]")].find((each) => split(each.dataset.pieces).includes(topic));
    if (!container) return;
    put(container, element);
  }
  htmx.process(element);
  element.dispatchEvent(new CustomEvent("placed", { bubbles: true, detail: { fresh: !element.hidden && (!known || known.hidden) } }));
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) waiting.forEach((timer, region) => { clearTimeout(timer); waiting.delete(region); schedule(region, 0); });
});

// A hub that is just starting, or a proxy before it: what was not got is asked for again.
function again(event) {
  if (event.target.matches("[data-topic]")) schedule(event.target, LATER_MS * 3 + Math.random() * SPREAD_MS);
}
document.addEventListener("htmx:sendError", again);
document.addEventListener("htmx:timeout", again);
document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status >= 502) again(event); });
