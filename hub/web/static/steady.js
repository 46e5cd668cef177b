// What somebody reads in a list that grows at both ends stays where it is while something comes beside it. Such a list,
// `data-steady`, counts from its end (`flex-direction: column-reverse`): scrolled to zero it shows what came last.

const NEAR_PX = 24;

export const atEnd = (scroller) => Math.abs(scroller.scrollTop) < NEAR_PX;

/** Note what is read in the list around an element; the answer, called after a change, has it stand where it stood. */
export function hold(element) {
  const scroller = element?.closest("[data-steady]");
  if (!scroller || atEnd(scroller)) return () => {}; // whoever is at the end stays there
  const { top } = scroller.getBoundingClientRect();
  const read = [...scroller.querySelectorAll("li[id]")].find((each) => each.getBoundingClientRect().bottom > top);
  if (!read) return () => {};
  const stood = read.getBoundingClientRect().top;
  return () => {
    const now = document.getElementById(read.id);
    if (now) scroller.scrollTop += now.getBoundingClientRect().top - stood;
  };
}
