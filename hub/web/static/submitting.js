// What was sent is not sent again until its answer has come: neither by a second click nor by a second Ctrl+Enter.

const LONGEST_MS = 60_000; // an answer that leaves the page where it is, as a file does, is not told of
const held = new Map(); // form or button -> timer, where nothing tells of its answer

const posts = (element) => element.matches("form[method=post], [hx-post], [data-hx-post]");
const buttonsOf = (element) => (element.matches("form") ? [...element.elements].filter((each) => each.type === "submit") : [element]);

function free(element) {
  clearTimeout(held.get(element));
  held.delete(element);
  buttonsOf(element).forEach((each) => each.removeAttribute("aria-disabled"));
}

function hold(element, told) {
  clearTimeout(held.get(element));
  held.set(element, told ? undefined : setTimeout(free, LONGEST_MS, element));
  buttonsOf(element).forEach((each) => each.setAttribute("aria-disabled", "true"));
}

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

export function begin() {
  // the second click of a double one, which may come after the answer to the first, and meet what that has drawn
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, input[type=submit]");
    const acts = button && (button.matches("[hx-post]") || (button.type === "submit" && button.form && posts(button.form)));
    if (event.detail > 1 && acts) stop(event);
  }, true);
  // Enter that is kept down
  document.addEventListener("keydown", (event) => {
    const { form } = event.target;
    if (event.key === "Enter" && event.repeat && form && posts(form) && (event.ctrlKey || event.metaKey || !event.target.matches("textarea"))) stop(event);
  }, true);
  document.addEventListener("submit", (event) => { if (held.has(event.target)) stop(event); }, true);
  addEventListener("submit", ({ target, defaultPrevented }) => {
    if (!defaultPrevented && posts(target) && target.target !== "_blank") hold(target, false);
  });
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, verb, etc, issueRequest } = event.detail;
    if (etc.headers?.["X-Again"]) { event.preventDefault(); issueRequest(true); } // was asked and answered already
    else if (verb !== "get" && held.has(elt)) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSend", ({ detail: { elt, requestConfig } }) => {
    if (requestConfig.verb !== "get" && ["submit", "click"].includes(requestConfig.triggeringEvent?.type)) hold(elt, true);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => { if (held.has(detail.requestConfig.elt)) free(detail.requestConfig.elt); });
  addEventListener("pageshow", ({ persisted }) => { if (persisted) [...held.keys()].forEach(free); });
}
