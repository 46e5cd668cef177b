// A client's card, or the talk with them beside a deal: the box in which one writes (draft, files, templates, keys), who else is here, entries not all may see.

import { attach, chip, underway } from "./attaching.js";
import * as feed from "./feed.js";
import { placePiece } from "./regions.js";
import * as timeline from "./timeline.js";

const root = document.querySelector("[data-client]");
const { client } = root.dataset;
const topic = `client:${client}`;
const kept = `draft:${client}`;
const form = () => document.getElementById("composer");

document.body.classList.add("scripted");

// ---------- the draft of this client, as long as the tab lives

function keep() {
  const { text, subject, target, at } = form().elements;
  const draft = { text: text.value, subject: subject.value, target: target.value, at: at.value };
  if (draft.text || draft.subject) sessionStorage.setItem(kept, JSON.stringify(draft));
  else sessionStorage.removeItem(kept);
}

function recall() {
  const draft = JSON.parse(sessionStorage.getItem(kept) ?? "null");
  if (!draft || form().elements.text.value) return;
  for (const name of ["text", "subject", "at"]) form().elements[name].value = draft[name] ?? "";
  if ([...form().elements.target.options].some((each) => each.value === draft.target)) form().elements.target.value = draft.target;
}

function fit() {
  const target = form().elements.target.value;
  form().classList.toggle("no-subject", !target.startsWith("email:"));
  form().classList.toggle("of-note", target === "note");
  form().elements.at.disabled = target === "note"; // it is kept at once; the time stands there again for an answer
}

// ---------- the box as it stands now; it is drawn anew after each message

function begin() {
  if (!form()) return;
  form().elements.upload?.removeAttribute("name"); // files go ahead of their message
  recall();
  fit();
}

let written = 0;
let sent = 0;
let composed = form() !== null; // beside a deal it comes when the talk is looked at

document.addEventListener("input", ({ target }) => {
  if (!form()?.contains(target)) return;
  form().querySelector(":scope > .problem")?.remove(); // it was said of what stood there before
  keep();
  const to = form().elements.target.value;
  if (target.name === "text" && to !== "note" && Date.now() - written > 3000) {
    written = Date.now();
    feed.whisper(topic, "writes", form().elements.at.value ? "" : to); // what goes later they need not wait for
  }
});
document.addEventListener("change", ({ target }) => { if (target.name === "target" && form()?.contains(target)) { fit(); keep(); } });
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form()?.contains(event.target)) {
    event.preventDefault();
    if (!underway(form())) form().requestSubmit();
  }
});
// Pressed once more than was meant, by key or button: there is nothing to send, and nothing wrong.
document.addEventListener("submit", (event) => {
  if (event.target !== form() || Date.now() - sent > 2000) return;
  if (!form().elements.text.value.trim() && !form().querySelector(".chosen > *")) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);
document.addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length && form()?.contains(event.target)) { event.preventDefault(); attach(form(), event.clipboardData.files); }
});
root.addEventListener("dragover", (event) => {
  if (form() && event.dataTransfer?.types.includes("Files")) { event.preventDefault(); root.classList.add("dropping"); }
});
root.addEventListener("dragleave", ({ relatedTarget }) => { if (!root.contains(relatedTarget)) root.classList.remove("dropping"); });
root.addEventListener("drop", (event) => {
  root.classList.remove("dropping");
  if (form() && event.dataTransfer?.files.length) { event.preventDefault(); attach(form(), event.dataTransfer.files); }
});
document.addEventListener("click", ({ target }) => {
  const chosen = target.closest("[data-template]");
  if (!chosen || !form()) return;
  const { text, subject, template } = form().elements;
  text.setRangeText(chosen.dataset.text, text.selectionStart, text.selectionEnd, "end");
  if (chosen.dataset.subject) subject.value = chosen.dataset.subject;
  form().querySelector(".of-template")?.remove();
  template.value = chosen.dataset.attached ? chosen.dataset.template : "";
  if (chosen.dataset.attached) {
    const item = chip(form(), chosen.dataset.attached);
    item.classList.add("of-template");
    item.querySelector("button").addEventListener("click", () => { template.value = ""; });
  }
  text.focus();
  keep();
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig.elt.id !== "composer" || !detail.shouldSwap || detail.xhr.status >= 400) return;
  sessionStorage.removeItem(kept);
  sent = Date.now();
  timeline.toEnd();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt.id === "fresh" && detail.successful) {
    const found = document.createElement("template");
    found.innerHTML = detail.xhr.responseText;
    const { missed } = detail.requestConfig.parameters;
    if (document.querySelector("#flow [data-behind]")) return; // the newest have no place there
    const entries = [...found.content.querySelectorAll("li[id]")];
    const shown = document.querySelectorAll("#flow .timeline > li[id]").length;
    if (missed && shown && entries.length && !entries.some((each) => document.getElementById(each.id))) {
      timeline.missed(entries.map((each) => each.id)); // more than is told
      return;
    }
    for (const each of entries) {
      if (missed || !document.getElementById(each.id)) placePiece({ topic, key: each.id, html: each.outerHTML });
    }
  }
});
document.addEventListener("htmx:load", ({ target }) => {
  if (target.id === "composer" && composed) form().elements.text.focus();
  if (target.id === "composer" || target.querySelector?.("#composer")) { begin(); composed = form() !== null; }
});
document.addEventListener("submit", ({ target }) => {
  target.querySelectorAll("input[data-csrf]").forEach((each) => { each.value = document.body.dataset.csrf; });
}, true);

// ---------- a card that another took over meanwhile: what was written goes along

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id !== "merged") return;
  const draft = sessionStorage.getItem(kept);
  const there = `draft:${target.dataset.into}`;
  if (draft && !sessionStorage.getItem(there)) sessionStorage.setItem(there, draft);
  root.querySelectorAll("[data-topic]").forEach((each) => each.removeAttribute("data-topic")); // it is not asked for any more
});

// ---------- who else is here

const others = new Map(); // name -> what they do and until when that counts
const CLIENT = ""; // in place of a name: the page's own client

function show() {
  const now = Date.now();
  others.forEach((each, name) => { if (each.until < now) others.delete(name); });
  const line = document.querySelector("[data-whispers]");
  if (line) line.textContent = [...others].map(([name, { kind }]) => root.dataset[kind].replace("{name}", name)).join(" · ");
}

feed.on("whisper", (said) => {
  if (said.topic === topic && said.said === "types" && root.dataset.types) {
    others.set(CLIENT, { kind: "types", until: Date.now() + 6000 });
    show();
  }
  if (said.topic !== topic || !(said.said in { looks: 1, writes: 1 })) return;
  const before = others.get(said.name);
  if (said.said === "looks" && before?.kind === "writes" && before.until > Date.now()) return;
  others.set(said.name, { kind: said.said, until: Date.now() + (said.said === "writes" ? 6000 : 45000) });
  show();
  if (!before) setTimeout(look, Math.random() * 700); // who has just come does not know of those who are here
});
setInterval(show, 2000);
document.addEventListener("placed", ({ target, detail }) => {
  if (detail.fresh && target.matches(".entry.in") && others.delete(CLIENT)) show(); // there it is
});

const look = () => { if (!document.hidden) feed.whisper(topic, "looks"); };
setTimeout(look, 1000);
setInterval(look, 30000);
feed.on("state", ({ connected }) => { if (connected) look(); });

// ---------- on a telephone one part at a time

function turn(name) {
  root.dataset.tab = name;
  document.querySelectorAll(".of-card [data-tab]").forEach((each) => {
    if (each.dataset.tab === name) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  });
}
document.querySelectorAll(".of-card [data-tab]").forEach((each) => each.addEventListener("click", () => turn(each.dataset.tab)));
turn("talk");
begin();
timeline.begin();
if (location.hash === "#answer") document.getElementById("answer")?.focus();
