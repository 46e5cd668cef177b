// htmx tells of everything that it puts in one by one: of a stretch of fifty entries fifty times.

/** What is to be done once for all that is told of in one go. */
export function onceFor(act) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    queueMicrotask(() => { due = false; act(); });
  };
}
