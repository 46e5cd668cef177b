// The keyboard: `/` searches (arrows and Enter go on from there), `g` and a letter goes somewhere, `?` shows what there is.

const writing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
let going = false;

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
  if (going) {
    going = false;
    const link = document.querySelector(`[data-key="${CSS.escape(event.code)}"]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  if (event.key === "/" || event.code === "Slash" && !event.shiftKey) {
    event.preventDefault();
    document.querySelector("#find")?.focus();
  } else if (event.key === "?") {
    document.querySelector("#keys")?.showModal();
  } else if (event.code === "KeyG") {
    going = true;
    setTimeout(() => { going = false; }, 1500);
  }
}

// What the search finds below its field: arrows go through it, Enter opens, Escape puts it away.
function walked(event) {
  const find = document.querySelector("#find");
  const found = document.querySelector("#found");
  if (!find || (event.target !== find && !found.contains(event.target))) return;
  const links = [...found.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const to = event.key === "ArrowDown" ? Math.min(at + 1, links.length - 1) : at - 1;
    if (!links.length || (at < 0 && event.key === "ArrowUp")) return;
    event.preventDefault();
    (links[to] ?? find).focus();
  } else if (event.key === "Escape") {
    find.focus();
    found.replaceChildren();
  }
}

export function begin() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("keydown", walked);
  document.addEventListener("click", ({ target }) => {
    if (!target.closest(".find")) document.querySelector("#found")?.replaceChildren();
  });
}
