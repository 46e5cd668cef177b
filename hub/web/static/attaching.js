// Files for a form that is yet to be sent: each goes ahead as soon as it is chosen, so that a bad line costs one photo and
// not all of them. `data-ahead` is where to; what was chosen stands in the `.chosen` within, as fields `data-field`.
// Where there is no script, the same inputs go with the form.

import { post } from "./failures.js";

export function chip(box, text) {
  const item = document.createElement("li");
  item.className = "tag";
  const name = document.createElement("span");
  name.textContent = text;
  const away = Object.assign(document.createElement("button"), { type: "button", className: "quiet small", textContent: "×" });
  away.title = box.dataset.remove;
  away.setAttribute("aria-label", box.dataset.remove);
  away.addEventListener("click", () => item.remove());
  item.append(name, away);
  box.querySelector(".chosen").append(item);
  return item;
}

async function ahead(box, file) {
  const item = chip(box, `${file.name} …`);
  const fail = (problem) => { item.classList.add("problem"); item.firstChild.textContent = `${file.name}: ${problem}`; };
  try {
    const type = { "Content-Type": file.type || "application/octet-stream" };
    const answer = await post(`${box.dataset.ahead}?name=${encodeURIComponent(file.name)}`, file, type);
    if (answer === null) { fail(box.dataset.failed); return; }
    const told = await answer.json();
    if (!answer.ok) { fail(told.problem ?? box.dataset.failed); return; }
    item.firstChild.textContent = told.name;
    item.append(Object.assign(document.createElement("input"), { type: "hidden", name: box.dataset.field, value: told.id }));
  } catch {
    fail(box.dataset.failed);
  }
}

const buttonsOf = (form) => [...form.querySelectorAll("button:not([type=button])")];

export const underway = (form) => Number(form.dataset.underway ?? 0) > 0;

export async function attach(box, files) {
  const form = box.closest("form");
  form.dataset.underway = Number(form.dataset.underway ?? 0) + 1;
  buttonsOf(form).forEach((each) => { each.disabled = true; });
  await Promise.all([...files].map((file) => ahead(box, file)));
  form.dataset.underway = Number(form.dataset.underway) - 1;
  if (!underway(form)) buttonsOf(form).forEach((each) => { each.disabled = false; });
}

document.addEventListener("change", ({ target }) => {
  const box = target.closest?.("[data-ahead]");
  if (!box || target.type !== "file") return;
  const files = [...target.files];
  target.value = "";
  attach(box, files);
});
