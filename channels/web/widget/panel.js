// The window: its frame, what it shows now, keys and sizes.

const host = h("div", { id: "hub-chat" }), root = host.attachShadow({ mode: "open" });
const live = h("div", { class: "sr", role: "status" });
const badge = h("span", { class: "n", hidden: true, "aria-hidden": "true" });
const launcher = h("button", { class: "open", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => toggle(!isOpen) }, icon(CHAT), icon("M6 9l6 6 6-6"), badge);
const heading = D.title || S.title || L.title;
const dot = h("span", { class: "dot", "aria-hidden": "true" }), status = h("span", {});
const note = h("div", { class: "note", role: "status", hidden: true }, L.lost);
const log = h("div", { class: "log", role: "log", "aria-label": L.log, tabindex: 0 });
const picker = h("input", { type: "file", hidden: true, tabindex: -1, onchange: () => { [...picker.files].forEach(attach); picker.value = ""; } });
const entry = h("textarea", { rows: 1, maxlength: 4000, placeholder: L.type, "aria-label": L.type, oninput: () => { grow(); writing(); } });
const emoji = h("div", { class: "emo", hidden: true }, ...EMOJI.map((each) => h("button", { "aria-label": each, onclick: () => insert(each) }, each)));
const smile = h("button", { class: "icon", "aria-label": L.emoji, "aria-expanded": "false", onclick: () => emojis(emoji.hidden) },
  icon("M12 22a10 10 0 1 1 0-20 10 10 0 0 1 0 20z", "M8 14s1.5 2 4 2 4-2 4-2", "M9 9h.01M15 9h.01"));
const foot = h("form", { class: "foot" },
  h("button", { class: "icon", "aria-label": L.file, onclick: () => picker.click() }, icon(CLIP)), picker, entry, smile,
  h("button", { class: "icon send", type: "submit", "aria-label": L.send }, icon("M22 2L11 13", "M22 2l-7 20-4-9-9-4z")));
const panel = h("div", { class: "panel", role: "dialog", "aria-label": heading, hidden: true },
  div("head", h("div", {}, h("h2", {}, heading), h("p", {}, dot, status)),
    h("button", { class: "icon", "aria-label": L.close, onclick: () => toggle(false) }, icon("M18 6L6 18M6 6l12 12"))),
  note, log, emoji, foot);
const box = h("div", { class: `w ${(D.position || S.side) === "left" ? "left" : "right"}`, lang }, panel, launcher, live);

const frame = (act) => requestAnimationFrame(act);
const stick = () => { log.scrollTop = log.scrollHeight; };
const grow = () => { entry.style.height = "40px"; entry.style.height = `${Math.min(entry.scrollHeight, 120)}px`; };
const insert = (text) => { entry.setRangeText(text, entry.selectionStart, entry.selectionEnd, "end"); grow(); entry.focus(); };
const emojis = (shown) => { emoji.hidden = !shown; smile.setAttribute("aria-expanded", shown); stick(); };
const attach = (file) => {
  const flaw = file.size > S.size ? L.big : "";
  put({ kind: "upload", file, ...(flaw && { state: "failed", why: flaw }) });
};

const nodes = new Map();
let drawing = 0;
const draw = () => { drawing = drawing || frame(paint); };
const label = () => {
  const seen = local.get().seen || 0;
  let unread = 0;
  messages.forEach((each) => { unread += !each.mine && each.seq > seen; });
  badge.hidden = !unread || isOpen;
  badge.textContent = unread > 9 ? "9+" : unread;
  launcher.setAttribute("aria-label", isOpen ? L.close : L.open + (unread ? L.unread(unread) : ""));
};
const paint = () => {
  drawing = 0;
  const known = local.get(), all = [...messages.values()];
  if (thanked) all.push({ id: 0, seq: 0, at: thanked, text: L.thanks, author: heading });
  all.sort((a, b) => a.at - b.at || a.id - b.id);
  label();
  if (!isOpen) return;
  status.textContent = writer ? writer + L.writes : office === false ? (opens ? L.back(soon(opens)) : L.away) : L.here;
  dot.className = office === false ? "dot off" : "dot";
  note.hidden = up;
  const talked = all.length || waiting.length, away = office === false && !talked;
  foot.hidden = away;
  const shown = [["hello", "hello", () => bubble({ text: L.hello, author: heading })]];
  const rows = [...all, ...waiting.map((one) => ({ ...one, mine: true, source: one, files: one.file && [{ name: one.file.name, size: one.file.size }] }))];
  rows.forEach((one, at) => {
    const before = rows[at - 1], next = rows[at + 1], date = day(one.at);
    if (!before || day(before.at) !== date) shown.push([`day ${date}`, date, () => div("day", date)]);
    const near = (a, b) => a && b && !a.mine === !b.mine && a.author === b.author && Math.abs(a.at - b.at) < 3e5 && day(a.at) === day(b.at);
    const look = { ...one, more: near(before, one), tail: !near(one, next), last: at === all.length - 1 && !waiting.length };
    if (one.source) Object.defineProperty(look, "state", { get: () => one.source.state, set: (to) => { one.source.state = to; }, enumerable: true });
    shown.push([one.source ? one.id : `m${one.id}`, JSON.stringify(look), () => bubble(look)]);
  });
  const wished = all.some((each) => each.ask);
  if (away) shown.push(["away", "", () => (awayForm = awayForm || form(true))]);
  else if (!known.asked && office !== null && (wished || all.some((each) => each.mine))) {
    shown.push(["ask", "", () => (contactForm = contactForm || form(false))]);
  }
  const low = log.scrollHeight - log.scrollTop - log.clientHeight < 80, many = nodes.size;
  // What is no longer shown goes first: whoever would be moved around it would lose the focus.
  const kept = new Set(shown.map(([key]) => key));
  for (const [key, { node }] of nodes) if (!kept.has(key)) { node.remove(); nodes.delete(key); }
  let place = null;
  for (const [key, look, make] of shown) {
    const old = nodes.get(key);
    let node = old && old.node;
    if (!old || old.look !== look) {
      node = make();
      if (old) old.node.replaceWith(node);
      nodes.set(key, { look, node });
    }
    const wanted = place ? place.nextSibling : log.firstChild;
    if (wanted !== node) log.insertBefore(node, wanted);
    place = node;
  }
  if (low || !many) stick();
};

const toggle = (wanted) => {
  isOpen = wanted;
  panel.hidden = !wanted;
  box.classList.toggle("on", wanted);
  launcher.setAttribute("aria-expanded", wanted);
  emojis(false);
  live.textContent = "";
  draw();
  label(); // before it gets the focus: that is when it is read out
  if (!wanted) { launcher.focus(); return; }
  fit();
  begun().then(() => { connect(); return !leader && !loaded && local.get().token ? history() : null; }).catch(() => { connect(); online(false); });
  if (!matchMedia("(pointer: coarse)").matches) entry.focus();
  if (root.activeElement !== entry) log.focus();
  frame(() => { stick(); seen(); });
};

// On a telephone the panel is as high as what the keyboard leaves.
const view = window.visualViewport;
const fit = () => {
  const narrow = matchMedia("(max-width: 520px), (max-height: 460px)").matches;
  panel.style.height = view && narrow ? `${view.height}px` : "";
  panel.style.top = view && narrow ? `${view.offsetTop}px` : "";
  panel.style.bottom = view && narrow ? "auto" : "";
};
if (view) on(view, "resize scroll", () => isOpen && (fit(), stick()));

const submit = () => {
  const text = entry.value.trim();
  if (!text) return;
  entry.value = "";
  wrote = 0;
  grow();
  emojis(false);
  put({ kind: "send", text });
  frame(() => frame(stick));
};
on(foot, "submit", (event) => { event.preventDefault(); submit(); });
on(entry, "keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !matchMedia("(pointer: coarse)").matches) { event.preventDefault(); submit(); }
});
on(entry, "paste", (event) => [...(event.clipboardData || {}).files || []].forEach(attach));
on(box, "keydown", (event) => {
  event.stopPropagation();  // the page's own shortcuts are not meant
  if (!isOpen) return;
  if (event.key === "Escape") { if (emoji.hidden) toggle(false); else { emojis(false); smile.focus(); } }
  if (event.key !== "Tab") return;
  const all = [...panel.querySelectorAll("button, textarea, input, a[href], [tabindex]")].filter((each) => each.tabIndex >= 0 && !each.disabled && each.offsetParent);
  const first = all[0], last = all[all.length - 1], now = root.activeElement;
  if (event.shiftKey ? now === first : now === last) { event.preventDefault(); (event.shiftKey ? last : first).focus(); }
});
on(document, "visibilitychange", () => { if (!document.hidden) { wake(); seen(); } });
on(window, "storage", (event) => { if (event.key === KEY) draw(); });
