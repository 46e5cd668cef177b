// A file that is larger than the hub takes is told of when it is chosen, not after it was sent in vain.

document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("input[type=file][data-largest]")) return;
  const tooLarge = [...target.files].some((each) => each.size > Number(target.dataset.largest));
  target.setCustomValidity(tooLarge ? target.dataset.tooLarge : "");
  if (tooLarge) target.reportValidity();
});
