// Parts of the page that know what they show: `data-topic="cases leads"` with `hx-get` and `hx-trigger="stale"` asks anew
// when one of these is stale; `data-pieces="client:5"` takes finished pieces, in the order of their `data-order`
// (`data-grows="up"`: the newest first; `data-only`: these alone; `data-behind`: its end is not loaded, so that what
// belongs there is only told of, by the event `beyond`). Where rows come on scrolling, `data-counts="tr[id]"` says how
// many stand there (`shown`), so that as many come again. `data-whole`: a form; what was chosen in it and is not sent stays.

import { altered, inHand, openIn, reopen } from "./opening.js";
import { hold } from "./steady.js";

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

const busy = (region) => document.hidden || typing(region) || region.contains(pressed) || region.querySelector("dialog[open], .dragging, .chosen > li") !== null
  || inHand(region) || altered(region) || region.querySelector("tr .pick:checked") !== null
  || [...region.querySelectorAll("audio")].some((audio) => !audio.paused);

const waiting = new Map(); // region -> timer
const asking = new Set(); // regions whose answer is under way

// What was drawn in the place of a region meanwhile may be older than the change that it waited to be asked for.
function successor(region) {
  const found = region.id ? document.getElementById(region.id) : null;
  return found?.matches("[data-topic][hx-get]") ? found : null;
}

function schedule(region, delay) {
  if (waiting.has(region)) return;
  waiting.set(region, setTimeout(() => {
    waiting.delete(region);
    const now = region.isConnected ? region : successor(region);
    if (!now) return;
    if (busy(now)) schedule(now, LATER_MS);
    else if (asking.has(now)) schedule(now, SETTLE_MS); // what comes first may take its place
    else htmx.trigger(now, "stale");
  }, delay));
}

// What was asked for may come while somebody has begun to write or to press: then it comes later. Where the keyboard
// stands, it stays, and what was open stands open.
let kept = null; // { region, home: the id of what holds the focus, place: its place in there }
let open = null; // { region, found: what stood open }

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
  if (busy(elt)) { detail.shouldSwap = false; schedule(elt, LATER_MS); } else { keepFocus(elt); open = { region: elt, found: openIn(elt) }; }
});
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (open && (open.region === target || (target.id && open.region.id === target.id))) reopen(target, open.found);
  open = null;
  if (kept) restoreFocus(target);
});
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.dataset?.missed) {
    detail.parameters.missed = "1";
    delete detail.elt.dataset.missed; // more may be missed before the answer comes
  }
  if (detail.elt.dataset?.at) detail.parameters.at = detail.elt.dataset.at;
  if (detail.elt.dataset?.counts) detail.parameters.shown = detail.elt.querySelectorAll(detail.elt.dataset.counts).length;
});
document.addEventListener("htmx:beforeSend", ({ detail }) => { if (detail.elt.matches("[data-topic]")) asking.add(detail.elt); });
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  asking.delete(detail.requestConfig.elt);
  if (!detail.successful && detail.requestConfig.parameters.missed) detail.elt.dataset.missed = "1";
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

const last = (container, element) => [...container.children].every((each) => (each.dataset.order ?? "") < element.dataset.order);

const listened = (audio) => !audio.paused || (audio.currentTime > 0 && !audio.ended);

export function placePiece(piece) {
  const { topic, key, html, quiet } = piece;
  const template = document.createElement("template");
  template.innerHTML = html;
  const element = template.content.firstElementChild;
  if (element === null) return;
  const known = document.getElementById(key);
  if (known) {
    const audio = [...known.querySelectorAll("audio")].find(listened);
    if (audio) { audio.addEventListener("ended", () => placePiece(piece), { once: true }); return; }
    if (known.dataset.closed !== undefined) { element.hidden = true; element.dataset.closed = ""; }
    const release = hold(known);
    known.replaceWith(element);
    release();
  } else {
    const container = [...document.querySelectorAll("[data-pieces]")].find((each) => split(each.dataset.pieces).includes(topic));
    if (!container || (container.dataset.only && !element.matches(container.dataset.only))) return;
    if (container.dataset.behind !== undefined && last(container, element)) {
      container.dispatchEvent(new CustomEvent("beyond", { bubbles: true, detail: { key } }));
      return;
    }
    const release = hold(container);
    put(container, element);
    release();
  }
  htmx.process(element);
  element.dispatchEvent(new CustomEvent("placed", { bubbles: true, detail: { fresh: !quiet && !element.hidden && (!known || known.hidden) } }));
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) [...waiting].forEach(([region, timer]) => { clearTimeout(timer); waiting.delete(region); schedule(region, 0); }); // of a copy: each waits anew
});

// A hub that is just starting, or a proxy before it: what was not got is asked for again.
function again(event) {
  if (event.target.matches("[data-topic]")) schedule(event.target, LATER_MS * 3 + Math.random() * SPREAD_MS);
}
document.addEventListener("htmx:sendError", again);
document.addEventListener("htmx:timeout", again);
document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status >= 502) again(event); });
