// The keyboard: `/` searches, `g` and a letter goes somewhere, `?` shows what there is.

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

export const begin = () => document.addEventListener("keydown", pressed);
