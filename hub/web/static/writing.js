// Where clients are listed: which of them is writing at this moment. `data-writer="5"` is what says so of client 5.

import * as feed from "./feed.js";
import { onceFor } from "./once.js";

const LASTS_MS = 6000; // said again every few seconds, as long as they write
const until = new Map(); // client -> the timer that lets go

function show() {
  document.querySelectorAll("[data-writer]").forEach((each) => { each.hidden = !until.has(each.dataset.writer); });
}

function letGo(client) {
  clearTimeout(until.get(client));
  if (until.delete(client)) show();
}

feed.on("whisper", ({ topic, said, client }) => {
  if (topic !== "writing" || said !== "types") return;
  const who = String(client);
  clearTimeout(until.get(who));
  until.set(who, setTimeout(() => letGo(who), LASTS_MS));
  show();
});
document.addEventListener("htmx:afterSwap", onceFor(show)); // a list that was drawn anew
document.addEventListener("placed", ({ target, detail }) => {
  const link = detail.fresh && target.matches("[id^=happened-].in") && target.querySelector('a[href^="/contacts/"]');
  if (link) letGo(link.pathname.split("/")[2]); // there it is
});
