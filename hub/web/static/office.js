// The office's forms: a choice that changes what belongs to it draws the form anew; expressions are checked as they are
// typed; stages are dragged into their order. All of it has a button that does without this module.

import "./sizes.js";

document.addEventListener("change", ({ target }) => {
  if (!target.matches("select[data-redraws]")) return;
  const redraw = target.form?.querySelector("[data-redraw]");
  if (redraw) target.form.requestSubmit(redraw);
});

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
