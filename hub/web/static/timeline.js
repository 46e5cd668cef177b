// The timeline of a client's card: goes to a day and to a kind, and back with the browser; says what came in below of
// what is read, and keeps that where it stands.

import { atEnd, hold } from "./steady.js";

const flow = () => document.getElementById("flow");
const stream = () => flow()?.querySelector(".stream");
const list = () => flow()?.querySelector(".timeline");
const behind = () => list()?.dataset.behind !== undefined; // more lies between what is shown and the end
const below = new Set(); // ids of what came in and was not looked at

function say() {
  const button = flow()?.querySelector(".new-below");
  if (!button) return;
  button.hidden = !below.size && !behind();
  button.textContent = below.size ? button.dataset.text.replace("{count}", below.size) : button.dataset.far;
}

function looked() {
  if (!stream()) return;
  const { bottom } = stream().getBoundingClientRect();
  below.forEach((id) => { if (document.getElementById(id)?.getBoundingClientRect().top < bottom) below.delete(id); });
  if (atEnd(stream()) && !behind()) below.clear();
  say();
}

/** To what came last, where that is loaded; what is written there is seen as it comes, and not among what was found. */
export function toEnd() {
  if (list()?.dataset.searched !== undefined) { newest(); return; }
  if (stream() && !behind()) stream().scrollTop = 0;
}

/** More came than is loaded: whoever is at the end gets all of it, whoever reads above is told. */
export function missed(ids) {
  if (!stream() || atEnd(stream())) { newest(); return; }
  list().dataset.behind = "";
  ids.forEach((id) => below.add(id));
  say();
}

function newest() {
  const { here } = flow().dataset;
  const show = new URL(flow().querySelector(".tabs [aria-current]").href).search.replace("?", "&");
  return htmx.ajax("GET", `${here}?part=live${show}`, { target: "#flow", swap: "outerHTML" });
}

function placed({ target, detail }) {
  if (!detail.fresh || target.parentElement !== list() || atEnd(stream())) return;
  if (target.getBoundingClientRect().top >= stream().getBoundingClientRect().bottom) below.add(target.id);
  say();
}

// ---------- stretches that come as one scrolls

let release = null;

function loaded() {
  release?.();
  release = null;
  const seen = new Set();
  list().querySelectorAll(":scope > li[id]").forEach((each) => (seen.has(each.id) ? each.remove() : seen.add(each.id)));
  if (behind() && !list().querySelector(".newer")) { // the end is reached; what came while it was asked for is asked for
    delete list().dataset.behind;
    const fresh = document.getElementById("fresh");
    fresh.dataset.missed = "1";
    htmx.trigger(fresh, "stale");
  }
  looked();
}

// ---------- where it stands, and the address of that

let goingBack = false;

function stand() {
  below.clear();
  const at = document.getElementById(flow()?.dataset.at ?? "");
  if (at) {
    at.classList.add("here");
    stream().scrollTop += at.getBoundingClientRect().top - stream().getBoundingClientRect().top - 8;
  }
  say();
}

function note(path) {
  const address = new URL(path, location);
  address.searchParams.delete("part");
  for (const each of ["day", "q"]) if (!address.searchParams.get(each)) address.searchParams.delete(each);
  if (location.pathname !== address.pathname) return; // beside a deal it is not the page's own
  if (!goingBack && location.search !== address.search) history.pushState({ timeline: true }, "", address.pathname + address.search);
}

addEventListener("popstate", async () => {
  if (!flow() || location.pathname !== flow().dataset.here || location.hash) return;
  goingBack = true;
  const wanted = location.search.replace("?", "&");
  try {
    await htmx.ajax("GET", `${location.pathname}?part=live${wanted}`, { target: "#flow", swap: "outerHTML" });
  } finally { goingBack = false; }
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => { if (detail.target?.matches("#flow .more")) release = hold(detail.target); });
document.addEventListener("htmx:afterSwap", ({ detail, target }) => {
  if (release) loaded();
  if (target.id === "flow") {
    note(detail.pathInfo.finalRequestPath);
    stand();
  }
});
document.addEventListener("placed", placed);
document.addEventListener("beyond", ({ detail }) => { below.add(detail.key); say(); });
document.addEventListener("scroll", ({ target }) => { if (target === stream()) looked(); }, { capture: true, passive: true });
document.addEventListener("click", async ({ target }) => {
  if (!target.matches(".new-below")) return;
  if (behind()) await newest();
  else toEnd();
  stream()?.focus({ preventScroll: true });
});

export function begin() {
  if (flow()) stand();
}
