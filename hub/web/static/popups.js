// Popups of calls: one a call, whatever tells of it. On the pages of the client who calls they stand in the page itself,
// small, so that they cover nothing there.

import { placePiece } from "./regions.js";

const home = () => document.getElementById("popups");
const placedAt = new Map(); // id -> when a popup was told of last
let asked = 0;

function placed({ target }) {
  if (target.dataset.call === undefined) return;
  placedAt.set(target.id, performance.now());
  const place = document.querySelector(`main [data-calls-here="${target.dataset.client ?? ""}"]`);
  if (place && target.parentElement !== place) place.append(target);
}

// All that there are now, asked for when a page opens, after something was missed, or when a link came or went: what
// was told meanwhile is newer than the answer.
function answered({ detail }) {
  if (detail.elt !== home() || !detail.successful) return;
  const found = document.createElement("template");
  found.innerHTML = detail.xhr.responseText;
  const older = ({ id }) => (placedAt.get(id) ?? -1) < asked;
  const calls = [...found.content.querySelectorAll("[data-call]")];
  const ids = new Set(calls.map((each) => each.id));
  document.querySelectorAll("[data-call]").forEach((each) => { if (!ids.has(each.id) && older(each)) each.remove(); });
  const quiet = detail.requestConfig.triggeringEvent?.type === "load"; // it rang before this page was opened
  calls.filter(older).forEach((each) => placePiece({ topic: "me", key: each.id, html: each.outerHTML, quiet }));
}

export function begin() {
  document.addEventListener("placed", placed);
  document.addEventListener("htmx:beforeSend", ({ detail }) => { if (detail.elt === home()) asked = performance.now(); });
  document.addEventListener("htmx:afterRequest", answered);
}
