// What every page does: follows the hub, counts time, hears keys. A page's own modules are loaded beside this one.

import * as days from "./days.js";
import * as failures from "./failures.js";
import * as feed from "./feed.js";
import * as keys from "./keys.js";
import * as notify from "./notify.js";
import * as popups from "./popups.js";
import * as submitting from "./submitting.js";
import * as times from "./times.js";

// The part that answers a form may be one that says what went wrong: it is shown, too.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { status } = detail.xhr;
  const html = (detail.xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/html");
  if (status >= 400 && html && detail.xhr.getResponseHeader("X-Part")) { detail.shouldSwap = true; detail.isError = false; }
});

document.addEventListener("click", ({ target }) => {
  const close = target.closest("[data-close]");
  const box = close?.closest("dialog, [data-closes]");
  if (box?.matches("dialog")) box.close();
  // a call's stays hidden, whatever else is told of it; a notice is gone, and the next one is news
  else if (box?.id && box.dataset.mark === undefined) { box.hidden = true; box.dataset.closed = ""; }
  else box?.remove();
  const open = target.closest("[data-opens]");
  if (open) document.getElementById(open.dataset.opens)?.showModal();
});

// What was opened to be filled in is brought into sight, the pen in its first field.
document.addEventListener("click", ({ target }) => {
  const details = target.closest("summary")?.parentElement;
  if (!details?.matches(".closing, .new-task") || details.open) return; // open: it is being closed
  setTimeout(() => {
    const form = details.querySelector("form");
    form?.scrollIntoView({ block: "nearest" });
    form?.querySelector("input:not([type=hidden], [type=file]), select, textarea")?.focus({ preventScroll: true });
  });
});

feed.on("state", ({ connected, over }) => {
  const { classList } = document.body;
  const out = !connected && (over || classList.contains("logged-out")); // until the line stands again
  classList.toggle("logged-out", out);
  classList.toggle("offline", !connected && !out);
});
failures.begin();
submitting.begin();
days.begin();
feed.begin();
keys.begin();
popups.begin();
notify.begin();
times.begin();
