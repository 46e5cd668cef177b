// What the window is made of: bubbles, files, forms. Everything that people wrote becomes text nodes.

const h = (name, props, ...children) => {
  const node = document.createElement(name);
  if (name === "button") node.type = "button";
  for (const [key, value] of Object.entries(props || {})) {
    if (key.startsWith("on")) on(node, key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((each) => each || each === 0));
  return node;
};
const div = (look, ...children) => h("div", { class: look }, ...children);
const link = (href, more, ...children) => h("a", { href, target: "_blank", rel: "noopener", ...more }, ...children);
const icon = (...paths) => {
  const [svg, ...drawn] = ["svg", ...paths].map((d, at) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", at ? "path" : "svg");
    node.setAttribute(at ? "d" : "viewBox", at ? d : "0 0 24 24");
    return node;
  });
  svg.setAttribute("aria-hidden", "true");
  svg.append(...drawn);
  return svg;
};
const CHAT = "M21 11.5a8.4 8.4 0 0 1-9 8.4 9 9 0 0 1-3.7-.8L3 21l1.9-5.1a8.1 8.1 0 0 1-.9-4.4A8.5 8.5 0 0 1 12.5 3 8.4 8.4 0 0 1 21 11.5z";
const CLIP = "M21 11.1l-8.8 8.8a5.7 5.7 0 0 1-8.1-8.1l8.8-8.8a3.8 3.8 0 0 1 5.4 5.4l-8.8 8.8a1.9 1.9 0 0 1-2.7-2.7l8.1-8.1";
const DOC = ["M14 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8z", "M14 2v6h6"];
const EMOJI = "😊 😀 😂 😍 🤔 😢 😮 😉 👍 👎 👌 🙏 👋 🔥 ❤️ 🎉".split(" ");

// Addresses become links, and only those of the web.
const linked = (text) => text.split(/(https?:\/\/[^\s<>\x22«»]+)/i).flatMap((part, at) => {
  if (at % 2 === 0) return [part];
  const [, url, rest] = part.match(/^(.*?)([.,;:!?)\]'»…]*)$/);
  return [link(url, { rel: "noopener noreferrer nofollow ugc" }, url), rest];
});
const clock = (at) => new Date(at).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" });
const day = (at) => {
  const date = new Date(at), ago = Math.round((new Date().setHours(0, 0, 0, 0) - date.setHours(0, 0, 0, 0)) / 864e5);
  return ago === 0 ? L.today : ago === 1 ? L.yesterday : date.toLocaleDateString(lang, { day: "numeric", month: "long" });
};
const soon = (at) => new Date(at).toLocaleString(lang, { weekday: "short", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
const size = (bytes) => bytes > 1e6 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} KB`;

const fileOf = (file) => {
  const url = file.link && `${base}/chat/file?${file.link}`;
  if (url && /^image\/(png|jpeg|gif|webp)$/.test(file.type)) {
    return link(url, {}, h("img", { src: url, alt: file.name, loading: "lazy", onload: stick }));
  }
  const inner = [icon(...DOC), h("span", {}, file.name), file.size && h("small", {}, size(file.size))];
  return url ? link(url, { class: "f" }, ...inner) : div("f", ...inner);
};

const bubble = (one) => {
  const only = one.text && /^(?:\p{Extended_Pictographic}[\u200d\ufe0f\u{1f3fb}-\u{1f3ff}]*\s*){1,3}$/u.test(one.text);
  const failed = one.state === "failed", state = { sending: L.sending, busy: L.busy, sent: clock(one.at), failed: one.why || L.failed }[one.state];
  const node = div(`m${one.mine ? " mine" : ""}${one.more ? " more" : ""}`);
  if (!one.mine && !one.more && one.author) node.append(div("who", one.author));
  if (one.mine || !one.author) node.append(h("span", { class: "sr" }, `${one.mine ? L.you : L.auto}: `));
  if (one.text) node.append(h("div", { class: only ? "b big" : "b", dir: "auto" }, ...linked(one.text)));
  for (const file of one.files || []) node.append(div("b", fileOf(file)));
  if (one.choices && one.last) {
    node.append(div("ch", ...one.choices.map(([item, text]) =>
      h("button", { onclick: () => put({ kind: "choose", item, text }) }, text))));
  }
  if (one.tail || one.state) {
    node.append(h("div", { class: failed ? "t bad" : "t" }, state || clock(one.at), failed && !one.why && " ",
      failed && !one.why && h("button", { onclick: () => { one.state = "sending"; draw(); flush(); } }, L.again)));
  }
  return node;
};

// A form stays the same node as long as it is asked for, so that nothing typed is lost.
const form = (away) => {
  const field = (name, label, more) => h("label", {}, label, h(more.rows ? "textarea" : "input", { name, maxlength: 300, ...more }));
  const wrong = h("p", { class: "err", role: "alert", hidden: true });
  const trap = h("div", { class: "hp", "aria-hidden": "true" }, h("input", { name: "_trap", tabindex: -1, autocomplete: "off" }));
  const node = h("form", { class: "card", novalidate: true }, h("p", {}, away ? L.off : L.ask),
    div("two", field("name", L.name, { autocomplete: "name" }), field("reach", L.reach, { autocomplete: "email" })), away && field("text", L.text, { rows: 3, maxlength: 4000 }), trap, wrong,
    /^https?:/.test(D.privacy) && h("p", {}, L.agree, link(D.privacy, {}, L.policy)),
    div("row", h("button", { class: away ? "do wide" : "do", type: "submit" }, L.send),
      !away && h("button", { class: "no", onclick: () => { keep({ asked: 1 }); draw(); entry.focus(); } }, L.later)));
  on(node, "submit", async (event) => {
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(node)].map(([name, value]) => [name, value.trim()]));
    const { reach, ...rest } = given, mail = reach.includes("@");
    const flaw = !reach || (!mail && reach.replace(/\D/g, "").length < 5) ? ["reach", L.need] : away && !rest.text ? ["text", L.said] : null;
    wrong.hidden = !flaw;
    if (flaw) { wrong.textContent = flaw[1]; node.querySelector(`[name=${flaw[0]}]`).focus(); return; }
    const body = { id: node.id || newId(), ...rest, [mail ? "email" : "phone"]: reach, page: location.href, ...session.get() };
    node.id = body.id;
    const button = node.querySelector(".do");
    button.disabled = true;
    try {
      good(await asked("contact", () => body));
      thanked = Date.now();
      keep({ asked: 1, talked: 1 });
      connect();
      if (!leader) history().catch(() => {});
      draw();
      entry.focus();
    } catch {
      wrong.textContent = `${L.failed} ${L.again}?`;
      wrong.hidden = false;
    }
    button.disabled = false;
  });
  return node;
};
let awayForm = null, contactForm = null;
