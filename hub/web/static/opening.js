// What somebody opened within a part of the page, and chose there: it holds the part up while it is in hand, and stands
// open again, as chosen, after the part was asked anew. Whose menu it is tells the nearest element with an id.

const HAND_MS = 5000;
const opened = new WeakMap(); // details -> when it was opened
let moved = 0; // when the pointer moved last

// by a person's act, not by `reopen` or by how the page is drawn
document.addEventListener("click", ({ target }) => {
  const details = target.closest("summary")?.parentElement;
  if (details) opened.set(details, Date.now());
}, true);
document.addEventListener("pointermove", () => { moved = Date.now(); }, { passive: true });

const recent = (moment) => Date.now() - (moment ?? 0) < HAND_MS;
const TEXTS = "textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=search], [type=file])";

const begun = (details) => recent(opened.get(details)) || (details.matches(":hover") && recent(moved));

/** Whether somebody is at something in a region: a menu just opened or under a moving pointer, a text not sent yet. */
export const inHand = (region) => [...region.querySelectorAll("details[open]")].some(begun)
  || [...region.querySelectorAll(TEXTS)].some((field) => field.value !== field.defaultValue);

/** Whether something was chosen in a form that is a region of its own, and not sent yet. */
export const altered = (region) => region.matches("[data-whole]") && [...region.querySelectorAll(CHOICES)].some((each) => {
  if (each.matches("select")) return !same(picked(each), offered(each));
  return each.checked !== each.defaultChecked;
});

const homeOf = (element, region) => {
  const home = element.parentElement.closest("[id]");
  return home !== null && region.contains(home) ? home : region;
};
const said = (details) => details.querySelector("summary")?.textContent.replace(/\s+/g, " ").trim() ?? "";
const alike = (home, region, text) => [...home.querySelectorAll("details")].filter((each) => homeOf(each, region) === home && said(each) === text);

const CHOICES = "select, input[type=checkbox], input[type=radio]";
const picked = (select) => [...select.options].filter((one) => one.selected).map((one) => one.value);
function offered(select) {
  const said = [...select.options].filter((one) => one.defaultSelected);
  return (said.length || select.multiple ? said : [...select.options].slice(0, 1)).map((one) => one.value);
}
const same = (some, others) => some.length === others.length && some.every((each) => others.includes(each));

/** What a person chose, field by field; null where a field stands as it was offered: what is offered may be another now. */
const chosen = (details) => [...details.querySelectorAll(CHOICES)].map((each) => {
  if (each.matches("select")) return same(picked(each), offered(each)) ? null : picked(each);
  return each.checked === each.defaultChecked ? null : each.checked;
});

function choose(details, values) {
  const fields = [...details.querySelectorAll(CHOICES)];
  if (fields.length !== values.length) return; // it asks for something else now
  fields.forEach((each, at) => {
    if (values[at] === null) return;
    if (each.matches("select")) {
      const options = [...each.options];
      if (values[at].every((value) => options.some((one) => one.value === value))) options.forEach((one) => { one.selected = values[at].includes(one.value); });
    } else each.checked = values[at];
  });
}

/** What stands open in a region, to be given to `reopen` when its content was replaced. */
export function openIn(region) {
  const menus = [...region.querySelectorAll("details[open]")].map((details) => {
    const home = homeOf(details, region);
    const twins = alike(home, region, said(details));
    return { home: home === region ? null : home.id, text: said(details), place: twins.indexOf(details), of: twins.length, values: chosen(details) };
  });
  const under = region.querySelector("details[open]:hover")?.closest("[id]"); // the pointer stays on what it is on
  return { menus, under: under?.id, top: under?.getBoundingClientRect().top };
}

export function reopen(region, { menus, under, top }) {
  for (const { home, text, place, of, values } of menus) {
    const where = home === null ? region : document.getElementById(home);
    const found = where && region.contains(where) ? alike(where, region, text) : [];
    if (found.length === of) { // else nobody can tell which it was
      found[place].open = true;
      choose(found[place], values);
    }
  }
  const there = under ? document.getElementById(under) : null;
  if (there) scrollBy(0, there.getBoundingClientRect().top - top);
}
