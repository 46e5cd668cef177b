// Boards and the pages of cards: cards are dragged, moved by keys or a menu; what a stage asks for is asked in a dialog.

import { post } from "./failures.js";
import { onceFor } from "./once.js";

const board = document.getElementById("board");
const menu = document.getElementById("move-menu");
const dialog = document.getElementById("asking");
const said = document.getElementById("board-said");
const waiting = new Map(); // card id -> where it goes back to while the hub has not answered

const cardOf = (element) => element?.closest?.("li.deal") ?? null;
const columnOf = (element) => element?.closest?.(".column") ?? null;
const cardsOf = (column) => column.querySelector(".cards");

function say(pattern, card, column) {
  if (!said) return;
  said.textContent = pattern.replace("{title}", card.dataset.title).replace("{stage}", column?.dataset.name ?? "");
}

function dress() {
  document.querySelectorAll(".stagebar [aria-current]").forEach((each) => {
    const bar = each.parentElement;
    bar.scrollLeft = each.offsetLeft - bar.offsetLeft - (bar.clientWidth - each.offsetWidth) / 2;
  });
  document.querySelectorAll("[data-colour]").forEach((each) => each.style.setProperty("--stage", each.dataset.colour));
  document.querySelectorAll("li.deal:not([tabindex])").forEach((each) => { each.tabIndex = 0; });
  const seen = new Set(); // pages of a column that shifted meanwhile bring a card twice
  document.querySelectorAll("li.deal").forEach((each) => { if (seen.has(each.id)) each.remove(); else seen.add(each.id); });
  count();
  recount();
}

// ---------- moving

function step(column, by) {
  const number = column?.querySelector(".many-cards");
  if (number) number.textContent = String(Math.max(Number(number.textContent) + by, 0));
  recount();
}

// Where one stage at a time is shown, the choice of stages says how many cards each has.
function recount() {
  document.querySelectorAll("[data-column] option").forEach((each) => {
    const column = document.getElementById(each.value);
    const number = column?.querySelector(".many-cards")?.textContent;
    if (number !== undefined) each.textContent = `${column.dataset.name} · ${number}`;
  });
}

function place(card, column) {
  const from = columnOf(card);
  if (from === column) return;
  step(from, -1);
  step(column, 1);
  cardsOf(column).prepend(card);
}

function putBack(id) {
  const back = waiting.get(id);
  waiting.delete(id);
  if (!back) return;
  const { card, column, next, focused } = back;
  card.classList.remove("dragging", "moving");
  if (!column.isConnected) return;
  if (columnOf(card) !== column) {
    step(columnOf(card), -1);
    step(column, 1);
    cardsOf(column).insertBefore(card, next?.isConnected ? next : null);
  }
  if (focused) card.focus();
  say(said?.dataset.back ?? "", card, column);
}

function settle(id, answer, text) {
  const back = waiting.get(id);
  waiting.delete(id);
  if (!back) return;
  const template = document.createElement("template");
  template.innerHTML = text;
  const fresh = template.content.querySelector("template")?.content.querySelector("li.deal");
  const column = document.getElementById(`stage-${answer.headers.get("X-Stage")}`);
  if (!fresh || !column) { back.card.classList.remove("dragging", "moving"); return; }
  place(back.card, column);
  back.card.replaceWith(fresh);
  htmx.process(fresh);
  dress();
  if (back.focused) fresh.focus();
  say(said?.dataset.moved ?? "", fresh, column);
}

async function send(id, url, fields) {
  const answer = await post(url, fields, { Accept: "text/html" });
  if (answer === null) {
    if (!dialog?.open) putBack(id); // what is written in a dialog stays, to be sent again
    return;
  }
  const away = answer.headers.get("HX-Redirect");
  if (away) { location.assign(away); return; }
  const text = await answer.text();
  if (answer.ok) {
    dialog?.close();
    if (board) settle(id, answer, text);
    else if (document.getElementById("deal")) htmx.trigger("#deal", "stale");
    else location.reload();
    return;
  }
  if (!answer.headers.get("X-Part") || !dialog) { putBack(id); location.reload(); return; }
  document.getElementById("asked").innerHTML = text;
  htmx.process(dialog);
  dialog.dataset.card = id;
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("select, input:not([type=hidden]), textarea, a.button")?.focus();
}

function move(card, column) {
  const from = columnOf(card);
  const { id } = card.dataset;
  if (!column || from === column || waiting.has(id)) return;
  waiting.set(id, { card, column: from, next: card.nextElementSibling, focused: card.contains(document.activeElement) });
  place(card, column);
  card.classList.add("dragging", "moving"); // the board is not asked anew while this is open
  const fields = new URLSearchParams({ stage: column.dataset.stage, version: card.dataset.version });
  send(id, `/deals/${id}/move`, fields);
}

dialog?.addEventListener("close", () => {
  if (dialog.dataset.card) putBack(dialog.dataset.card);
  delete dialog.dataset.card;
  document.getElementById("asked").replaceChildren();
});

document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.closest("#asking [data-cancel]")) { event.preventDefault(); dialog.close(); }
  if (target.closest("#asking [data-fresh]")) {
    event.preventDefault();
    dialog.close();
    htmx.trigger(board ? "#board" : "#deal", "stale");
  }
});

const underway = new WeakSet(); // forms of moves whose answer has not come yet

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("#asking form, form[data-move]") || !dialog) return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  const id = dialog.dataset.card ?? form.dataset.move ?? "";
  if (underway.has(form)) return; // pressed twice
  if (form.closest("#asking")) dialog.dataset.card = id;
  underway.add(form);
  send(id, form.getAttribute("action"), fields).finally(() => underway.delete(form));
});

// ---------- by mouse

let dragged = null;

board?.addEventListener("dragstart", (event) => {
  const card = cardOf(event.target);
  if (!card?.draggable) return;
  dragged = card;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.dataset.title);
  card.classList.add("dragging");
});
board?.addEventListener("dragover", (event) => {
  const column = columnOf(event.target);
  if (!dragged || !column) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  if (!column.classList.contains("target")) {
    board.querySelectorAll(".target").forEach((each) => each.classList.remove("target"));
    column.classList.add("target");
  }
});
board?.addEventListener("drop", (event) => {
  const column = columnOf(event.target);
  if (!dragged || !column) return;
  event.preventDefault();
  const card = dragged;
  ended();
  move(card, column);
});
function ended() {
  dragged?.classList.remove("dragging");
  dragged = null;
  board.querySelectorAll(".target").forEach((each) => each.classList.remove("target"));
}
board?.addEventListener("dragend", ended);

// ---------- by menu and keys

let chosen = ""; // the id of the card whose menu is open

function placeMenu(card) {
  const box = (card.querySelector(".to") ?? card).getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.setProperty("--x", `${Math.max(8, Math.min(box.right - width, innerWidth - width - 8))}px`);
  menu.style.setProperty("--y", `${Math.max(8, Math.min(box.bottom + 4, innerHeight - height - 8))}px`);
}

function openMenu(card) {
  chosen = card.id;
  const here = columnOf(card);
  const items = [...board.querySelectorAll(".column")].map((column) => {
    const item = document.createElement("button");
    item.type = "button";
    item.role = "menuitem";
    item.textContent = column.dataset.name;
    item.disabled = column === here;
    item.tabIndex = -1;
    item.dataset.stage = column.dataset.stage;
    return item;
  });
  menu.replaceChildren(...items);
  menu.hidden = false;
  placeMenu(card);
  menu.querySelector("button:not(:disabled)")?.focus();
}

function closeMenu(back = true) {
  if (!menu || menu.hidden) return;
  menu.hidden = true;
  if (back) document.getElementById(chosen)?.focus();
  chosen = "";
}

// The card of an open menu was drawn anew, on another stage perhaps: the menu goes along, or with it.
function followMenu() {
  if (!menu || menu.hidden) return;
  const card = document.getElementById(chosen);
  if (!card) { closeMenu(false); return; }
  menu.querySelectorAll("button").forEach((item) => { item.disabled = item.dataset.stage === card.dataset.stage; });
  placeMenu(card);
  if (document.activeElement === document.body) menu.querySelector("button:not(:disabled)")?.focus();
}

menu?.addEventListener("keydown", (event) => {
  const items = [...menu.querySelectorAll("button:not(:disabled)")];
  const at = items.indexOf(document.activeElement);
  const goes = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (goes !== undefined) { event.preventDefault(); items[(goes + items.length) % items.length]?.focus(); }
  if (event.key === "Escape") { event.preventDefault(); closeMenu(); }
  if (event.key === "Tab") closeMenu(false);
});
menu?.addEventListener("click", ({ target }) => {
  const item = target.closest("[data-stage]");
  const card = document.getElementById(chosen);
  if (!item || !card) return;
  const column = document.getElementById(`stage-${item.dataset.stage}`);
  closeMenu();
  move(card, column);
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest("li.deal .to");
  if (button) openMenu(cardOf(button));
  else if (!target.closest("#move-menu")) closeMenu(false);
});

board?.addEventListener("keydown", (event) => {
  const card = cardOf(event.target);
  if (!card || event.target !== card || event.ctrlKey || event.metaKey || event.altKey) return;
  const columns = [...board.querySelectorAll(".column")];
  const at = columns.indexOf(columnOf(card));
  const place = [...cardsOf(columns[at]).querySelectorAll("li.deal")].indexOf(card);
  const beside = (by) => {
    for (let next = at + by; next >= 0 && next < columns.length; next += by) {
      const cards = cardsOf(columns[next]).querySelectorAll("li.deal");
      if (cards.length) return cards[Math.min(place, cards.length - 1)];
    }
    return null;
  };
  const near = (sibling) => (sibling?.matches("li.deal") ? sibling : null);
  const goes = {
    ArrowDown: () => near(card.nextElementSibling), ArrowUp: () => near(card.previousElementSibling),
    ArrowRight: () => beside(1), ArrowLeft: () => beside(-1),
  }[event.key];
  if (goes) { event.preventDefault(); goes()?.focus(); return; }
  if (event.key === "Enter") { event.preventDefault(); card.querySelector(".deal-title").click(); }
  if (event.key === " ") { event.preventDefault(); card.querySelector(".pick")?.click(); }
  if ((event.code === "KeyM" || event.key === "ContextMenu") && card.querySelector(".to")) { event.preventDefault(); openMenu(card); }
});

// ---------- the board asked anew stays where it was

const AT_ONCE = Number(board?.dataset.atOnce); // cards of a column that come at once; how many more were opened is told
let asked = new Map(); // stage -> how many cards the board was asked for
let kept = null;

const shownOf = (column) => cardsOf(column).querySelectorAll("li.deal").length;
const columnsNow = () => [...board.querySelectorAll(".column")];

board?.addEventListener("htmx:configRequest", (event) => {
  if (event.target !== board) return;
  asked = new Map(columnsNow().map((column) => [column.dataset.stage, shownOf(column)]).filter(([, count]) => count > AT_ONCE));
  if (asked.size) event.detail.parameters.open = [...asked].map(([stage, count]) => `${stage}:${count}`).join(",");
});

// What is out of sight is not laid out: a card drawn anew takes the room that it took before, so that nothing shifts.
const heights = () => new Map([...board.querySelectorAll("li.deal")].map((each) => [each.id, each.offsetHeight]));

function sized(known) {
  const cards = [...board.querySelectorAll("li.deal")];
  if (!cards.length) return;
  const style = getComputedStyle(cards[0]);
  const around = [style.paddingTop, style.paddingBottom, style.borderTopWidth, style.borderBottomWidth].reduce((sum, each) => sum + parseFloat(each), 0);
  cards.filter((each) => known.has(each.id)).forEach((each) => each.style.setProperty("contain-intrinsic-block-size", `auto ${known.get(each.id) - around}px`));
}

// The first cards in sight of a column and where they stand, by which the same ones stand there again.
function sightOf(column) {
  const list = cardsOf(column);
  const own = list.scrollHeight > list.clientHeight + 1; // on a telephone the page itself is scrolled
  const edge = own ? list.getBoundingClientRect().top : 0;
  if (!(own ? list.scrollTop : scrollY)) return null;
  const cards = [...list.querySelectorAll("li.deal")].map((each) => [each.id, each.getBoundingClientRect()]);
  const first = cards.findIndex(([, box]) => box.bottom > edge);
  return first < 0 ? null : { own, column: column.id, top: list.scrollTop, seen: cards.slice(first, first + 10).map(([id, box]) => [id, box.top - edge]) };
}

function lookAgain({ own, column, top, seen }) {
  const list = document.getElementById(column)?.querySelector(".cards");
  if (!list) return;
  if (own) list.scrollTop = top;
  const [id, was] = seen.find(([each]) => list.contains(document.getElementById(each))) ?? [];
  if (!id) return;
  const by = document.getElementById(id).getBoundingClientRect().top - (own ? list.getBoundingClientRect().top : 0) - was;
  if (own) list.scrollTop += by; else scrollBy(0, by);
}

board?.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target !== board || event.detail.requestConfig.elt !== board) return;
  if (columnsNow().some((column) => shownOf(column) > Math.max(AT_ONCE, asked.get(column.dataset.stage) ?? 0) + 1)) {
    event.detail.shouldSwap = false; // more was opened while this was on its way
    setTimeout(() => htmx.trigger(board, "stale"));
    return;
  }
  const columns = columnsNow();
  const focused = cardOf(document.activeElement);
  const here = document.querySelector("[data-column]")?.offsetParent ? columns.find((each) => each.getBoundingClientRect().right > innerWidth / 2) : null;
  kept = {
    left: board.querySelector(".board")?.scrollLeft ?? 0,
    heights: heights(),
    sights: (here ? [here] : columns).map(sightOf).filter(Boolean),
    picked: [...board.querySelectorAll(".pick:checked")].map((each) => each.value),
    // the card that has the keyboard; where it is gone, the one that takes its place
    focused: focused ? [focused, ...[...cardsOf(columnOf(focused)).querySelectorAll("li.deal")].filter((each) => focused.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING)].slice(0, 10).map((each) => each.id) : [],
  };
});
document.addEventListener("htmx:afterSwap", (event) => {
  dress();
  if (event.target !== board || !kept) return;
  const whole = board.querySelector(".board");
  if (whole) whole.scrollLeft = kept.left;
  sized(kept.heights);
  kept.sights.forEach(lookAgain);
  const { sights } = kept;
  requestAnimationFrame(() => sights.forEach(lookAgain)); // once more, when those in sight are laid out
  kept.picked.forEach((id) => { const box = board.querySelector(`#card-${id} .pick`); if (box) box.checked = true; });
  if (document.activeElement === document.body) {
    const next = kept.focused.map((id) => document.getElementById(id)).find(Boolean);
    next?.focus({ preventScroll: true });
  }
  kept = null;
  followMenu();
  count();
});

// ---------- many at once, pipelines, stages on a telephone

function count() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const picked = document.querySelectorAll(".pick:checked").length;
  bar.querySelector("[data-chosen]").textContent = String(picked);
  bar.classList.toggle("shown", picked > 0);
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-goes]")) location.assign(target.value);
  if (target.matches("[data-pick-all]")) document.querySelectorAll("tbody .pick").forEach((each) => { each.checked = target.checked; });
  if (target.matches(".pick, [data-pick-all]")) count();
  if (target.matches("[data-column]")) document.getElementById(target.value)?.scrollIntoView({ inline: "start", block: "nearest" });
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest(".stages-here [data-step]");
  if (!button) return;
  const select = document.querySelector("[data-column]");
  select.selectedIndex = Math.min(Math.max(select.selectedIndex + Number(button.dataset.step), 0), select.options.length - 1);
  select.dispatchEvent(new Event("change", { bubbles: true }));
});

// ---------- groups of fields on the page of a card: which are open is remembered

const folded = (key) => `fields:${key}`;

function unfold() {
  document.querySelectorAll("[data-fold]").forEach((button) => {
    const open = (localStorage.getItem(folded(button.dataset.fold)) ?? button.dataset.open) === "1";
    button.setAttribute("aria-expanded", String(open));
    document.getElementById(button.getAttribute("aria-controls")).hidden = !open;
  });
  const query = document.querySelector("[data-find-fields]")?.value ?? "";
  if (query) findFields(query);
}

function findFields(text) {
  const wanted = text.trim().toLocaleLowerCase();
  document.querySelectorAll("#deal .fields").forEach((group) => {
    let any = false;
    group.querySelectorAll("[data-name]").forEach((row) => {
      const fits = !wanted || row.dataset.name.toLocaleLowerCase().includes(wanted);
      row.classList.toggle("away", !fits);
      any ||= fits;
    });
    group.classList.toggle("away", !any && Boolean(wanted));
    const body = group.querySelector(".fold");
    if (wanted && any && body) body.hidden = false;
  });
  if (!wanted) unfold();
}

document.addEventListener("input", ({ target }) => { if (target.matches("[data-find-fields]")) findFields(target.value); });
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-fold]");
  if (!button) return;
  const open = button.getAttribute("aria-expanded") !== "true";
  localStorage.setItem(folded(button.dataset.fold), open ? "1" : "0");
  unfold();
});
document.addEventListener("htmx:afterSwap", onceFor(unfold));

dress();
unfold();
