// The office's forms: a choice that changes what belongs to it draws the form anew; expressions are checked as they are
// typed; stages are dragged into their order. All of it has a button that does without this module.

import "./sizes.js";

document.addEventListener("change", ({ target }) => {
  if (!target.matches("select[data-redraws]")) return;
  const redraw = target.form?.querySelector("[data-redraw]");
  if (redraw) target.form.requestSubmit(redraw);
});

// What is typed while the form is being drawn anew is taken along, and what was chosen is asked for again.

const FILLED = "[name]:is(input, select, textarea):not([type=hidden], [type=file])";
const ticked = (field) => field.matches("[type=checkbox], [type=radio]");
const said = (field) => (ticked(field) ? field.checked : field.value);

/** The fields of a form by what they are called there. */
function filled(form) {
  const found = new Map();
  for (const field of form.querySelectorAll(FILLED)) {
    const name = ticked(field) ? `${field.name}=${field.value}` : field.name;
    let place = 0;
    while (found.has(`${name}#${place}`)) place += 1;
    found.set(`${name}#${place}`, field);
  }
  return found;
}

const drawn = (elt) => elt.matches?.("form.office");
let sent = new Map(); // what the form said when it was sent
let typed = new Map(); // what it says now besides

document.addEventListener("htmx:beforeSend", ({ detail: { elt } }) => {
  if (drawn(elt)) sent = new Map([...filled(elt)].map(([name, field]) => [name, said(field)]));
});
document.addEventListener("htmx:beforeSwap", ({ detail: { requestConfig: { elt } } }) => {
  if (drawn(elt)) typed = new Map([...filled(elt)].map(([name, field]) => [name, said(field)]).filter(([name, value]) => sent.get(name) !== value));
});
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig: { elt } } }) => {
  const form = document.querySelector("form.office");
  if (!drawn(elt) || !form || form.action !== elt.action) return;
  const fields = filled(form);
  let again = null;
  for (const [name, value] of typed) {
    const field = fields.get(name);
    if (!field) continue;
    if (ticked(field)) field.checked = value;
    else field.value = value;
    if (field.matches("select[data-redraws]")) again = form.querySelector("[data-redraw]");
  }
  typed = new Map();
  if (again) form.requestSubmit(again);
  else answered();
});

/** What came of a button may stand far above or below it: it is brought into sight. */
function answered() {
  const found = document.querySelector("#main [data-answer], #main .faults, #main .wrong");
  const top = found?.getBoundingClientRect().top ?? 0;
  if (found && (top < 60 || top > innerHeight - 140)) found.scrollIntoView({ block: "start" });
}

const waiting = new WeakMap();

async function check(area) {
  const asked = area.value;
  const body = new URLSearchParams({ csrf: document.body.dataset.csrf, expression: asked });
  const answer = await fetch("/office/check", { method: "POST", body, headers: { "X-CSRF": document.body.dataset.csrf } });
  if (!answer.ok || area.value !== asked) return;
  const { problem } = await answer.json();
  let told = area.parentElement.querySelector(".as-typed");
  if (!told) {
    told = document.createElement("p");
    told.className = "wrong as-typed";
    told.setAttribute("role", "status");
    area.after(told);
  }
  told.textContent = problem;
  area.toggleAttribute("aria-invalid", problem !== "");
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-checked-as-typed]")) return;
  clearTimeout(waiting.get(target));
  waiting.set(target, setTimeout(() => { check(target).catch(() => {}); }, 400));
});

// ---------- stages

let dragged = null;

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".stages li[draggable]") ?? null;
  dragged?.classList.add("dragged");
});
document.addEventListener("dragover", (event) => {
  const over = dragged && event.target.closest?.(".stages li[draggable]");
  if (!over || over.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  const { top, height } = over.getBoundingClientRect();
  over[event.clientY < top + height / 2 ? "before" : "after"](dragged);
});
document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
document.addEventListener("dragend", () => {
  if (!dragged) return;
  dragged.classList.remove("dragged");
  const list = dragged.parentElement;
  dragged = null;
  const form = document.getElementById(list.dataset.form);
  form.elements.order.value = [...list.children].map((each) => each.dataset.id).join(",");
  form.requestSubmit();
});

const coloured = () => {
  for (const each of document.querySelectorAll("[data-colour]")) each.style.setProperty("--swatch", each.dataset.colour);
};
coloured();
document.addEventListener("htmx:afterSwap", coloured);
