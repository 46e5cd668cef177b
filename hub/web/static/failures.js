// What did not work is said in one line, and what was written stays. A form with the token of an earlier session is sent
// once more with the token of the one that its person opened meanwhile; pages tell each other of it, too.

const { body } = document;
const box = document.getElementById("failure");
const words = box.dataset;
const whole = (xhr) => /<html[\s>]/i.test(xhr.responseText.slice(0, 3000));
const selected = ({ elt, boosted }) => boosted || elt.closest("[hx-select]");
// what a page asks for by itself, again and again, is no act of a person
const byItself = ({ verb, triggeringEvent }) => verb === "get" && !["click", "submit", "change", "input"].includes(triggeringEvent?.type);

export function say(text, { login = "", reload = false } = {}) {
  box.querySelector(".said").textContent = text;
  const [link] = box.getElementsByTagName("a");
  (document.querySelector("dialog[open]") ?? body).append(box); // what lies behind a dialog is neither seen nor reached
  link.hidden = !login;
  if (login) link.href = login;
  box.querySelector("[data-reload]").hidden = !reload;
  box.dataset.ended = login ? "1" : "";
  box.hidden = false;
}

// What is answered shows that its person has a session again, opened in another tab.
function goesOn() {
  if (box.dataset.ended) box.hidden = true;
}

function take(csrf) {
  body.dataset.csrf = csrf;
  body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF": csrf }));
  document.querySelectorAll("input[type=hidden][name=csrf]").forEach((each) => { each.value = csrf; });
}

const anothers = (login) => decodeURIComponent(login) !== body.dataset.login;

// What a script sends by itself goes the same way. The answer; null where none came or the line says what is wrong.
export async function post(url, content, headers = {}) {
  const send = () => fetch(url, {
    method: "POST", credentials: "same-origin", redirect: "manual", body: content,
    headers: { "X-CSRF": body.dataset.csrf, "HX-Request": "true", ...headers },
  });
  try {
    let answer = await send();
    const fresh = answer.headers.get("X-CSRF-Fresh");
    if (fresh && anothers(answer.headers.get("X-Login"))) { say(words.other); return null; }
    if (fresh) { take(fresh); answer = await send(); }
    const login = answer.headers.get("X-Login-At");
    if (login) { say(await answer.text(), { login }); return null; }
    if (answer.ok) goesOn();
    return answer;
  } catch {
    say(words.unsent);
    return null;
  }
}

function again({ elt, verb, path, target, formData, triggeringEvent }) {
  const headers = { "X-CSRF": body.dataset.csrf, "X-Again": "1" };
  setTimeout(() => htmx.ajax(verb, path, { source: elt, event: triggeringEvent, target, values: formData, headers }));
}

function refused({ xhr, requestConfig }) {
  const { status } = xhr;
  const fresh = xhr.getResponseHeader("X-CSRF-Fresh");
  const login = xhr.getResponseHeader("X-Login-At");
  if (fresh && anothers(xhr.getResponseHeader("X-Login"))) say(words.other);
  else if (fresh && !requestConfig.headers["X-Again"]) { take(fresh); again(requestConfig); }
  else if (login) say(xhr.responseText, { login });
  else if (status === 404 && requestConfig.elt.matches("main [data-topic]") && /^\/(deals|contacts|tasks)\/\d/.test(location.pathname)) gone(requestConfig.elt);
  else if (!byItself(requestConfig)) {
    const told = (xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/plain") ? xhr.responseText.slice(0, 500) : "";
    say(told || words[`of${status}`] || `${words.failed} (${status})`);
  }
}

function gone(region) {
  region.removeAttribute("data-topic"); // it is not asked for any more; what is written in it can still be read
  if (document.querySelector(".gone")) return;
  const line = Object.assign(document.createElement("p"), { className: "problem gone", textContent: location.pathname.startsWith("/tasks/") ? words.of404 : words.gone });
  line.setAttribute("role", "alert");
  region.before(line);
}

const answered = new WeakSet(); // forms that may be sent: the hub was asked before, and is there

// Whether anybody answers, where the page's line to the hub is down.
async function there() {
  try {
    const icon = document.querySelector("link[rel=icon]").href;
    return navigator.onLine && (await fetch(icon, { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function unsent({ detail }) {
  if (!byItself(detail.requestConfig)) say(detail.requestConfig.verb === "get" ? words.offline : words.unsent);
}

export function begin() {
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { xhr, requestConfig } = detail;
    if (whole(xhr) && !selected(requestConfig) && !detail.selectOverride) {
      detail.shouldSwap = false; // a page has no place within a page
      if (xhr.status < 400) { say(words.outdated, { reload: true }); return; }
    }
    if (xhr.status >= 400 && !detail.shouldSwap) refused(detail);
  });
  document.addEventListener("htmx:sendError", unsent);
  document.addEventListener("htmx:timeout", unsent);
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const { requestConfig, xhr } = detail;
    if (xhr.status < 200 || xhr.status >= 300 || whole(xhr)) return;
    if (requestConfig.verb === "get") goesOn();
    else box.hidden = true;
  });
  box.querySelector("[data-reload]").addEventListener("click", () => location.reload());
  addEventListener("submit", (event) => { // a page of the browser's in place of ours would take what was written along
    const { target, submitter } = event;
    if (event.defaultPrevented || answered.delete(target)) return;
    if (navigator.onLine && !body.classList.contains("offline")) return;
    event.preventDefault();
    there().then((yes) => {
      if (!yes) { say(words.unsent); return; }
      answered.add(target);
      target.requestSubmit(submitter);
    });
  });
  if (!("BroadcastChannel" in globalThis)) return;
  const others = new BroadcastChannel("hub-token");
  others.addEventListener("message", ({ data }) => {
    if (data.login !== body.dataset.login) return;
    take(data.csrf);
    goesOn();
  });
  others.postMessage({ login: body.dataset.login, csrf: body.dataset.csrf });
}
