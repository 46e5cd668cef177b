// The chat on a site's pages. One script, nothing of others, no build. Everything that people wrote becomes text nodes.
// Blanks are taken out of it on its way (channels/web/script.py): texts stand in double quotes or backticks, and no regular
// expression holds either.
(() => {
  "use strict";
  const S = __SETTINGS__, CSS = __STYLE__;
  const tag = document.currentScript || document.querySelector(`script[src*="${encodeURI(S.path)}/widget.js"]`);
  if (!tag || !window.fetch || !window.ReadableStream || !Element.prototype.attachShadow) return;
  const base = tag.src.replace(/\/widget\.js([?#].*)?$/, ""), D = tag.dataset, KEY = `hub-chat:${base}`;
  if (window[KEY]) return;
  window[KEY] = true;

  // ------------------------------------------------------------ words

  const WORDS = {
    ru: {
      open: "Открыть чат", close: "Закрыть чат", title: "Напишите нам", here: "На связи", away: "Сейчас мы не работаем",
      back: (at) => `Ответим ${at}`, hello: "Здравствуйте! Чем можем помочь?", type: "Напишите сообщение…", send: "Отправить",
      file: "Прикрепить файл", emoji: "Смайлы", log: "Переписка", lost: "Нет связи. Восстанавливаем…", sending: "Отправляется…", failed: "Не отправлено.",
      again: "Повторить", busy: "Слишком часто. Отправим чуть позже.",
      ask: "Оставьте контакт, чтобы мы ответили, даже если вы закроете страницу. Это необязательно.",
      off: "Оставьте сообщение и контакт. Мы ответим, когда начнём работать.", name: "Имя", reach: "Телефон или почта",
      text: "Сообщение", later: "Не сейчас", thanks: "Спасибо! Мы свяжемся с вами.", need: "Укажите телефон или почту.",
      said: "Напишите, пожалуйста, сообщение.", big: (mb) => `Файл больше ${mb} МБ.`, bad: "Такой файл отправить нельзя.",
      agree: "Отправляя, вы соглашаетесь с ", policy: "обработкой данных", today: "Сегодня", yesterday: "Вчера",
      fresh: "Новое сообщение", you: "Вы", auto: "Автоответ", unread: (n) => `, непрочитанных: ${n}`,
    },
    en: {
      open: "Open the chat", close: "Close the chat", title: "Write to us", here: "We are here", away: "We are closed now",
      back: (at) => `We answer ${at}`, hello: "Hello! How can we help?", type: "Write a message…", send: "Send",
      file: "Attach a file", emoji: "Emoji", log: "Conversation", lost: "No connection. Trying again…", sending: "Sending…", failed: "Not sent.",
      again: "Try again", busy: "Too fast. It will be sent a little later.",
      ask: "Leave a contact, so that we can answer even if you close the page. This is optional.",
      off: "Leave a message and a contact. We will answer as soon as we are open.", name: "Name", reach: "Telephone or e-mail",
      text: "Message", later: "Not now", thanks: "Thank you! We will get in touch.", need: "Enter a telephone number or an e-mail.",
      said: "Please write a message.", big: (mb) => `The file is larger than ${mb} MB.`, bad: "Such a file can't be sent.",
      agree: "By sending you agree to ", policy: "the processing of your data", today: "Today", yesterday: "Yesterday",
      fresh: "New message", you: "You", auto: "Automatic answer", unread: (n) => `, ${n} unread`,
    },
  };
  const lang = (D.lang || document.documentElement.lang || navigator.language || "ru").slice(0, 2).toLowerCase() === "ru" ? "ru" : "en";
  const L = WORDS[lang];

  const on = (node, names, act) => names.split(" ").forEach((name) => node.addEventListener(name, act));

  // ------------------------------------------------------------ what is remembered

  // In the site's own storage, which is no cookie; where it is refused, as long as the page lives.
  const memory = {};
  const kept = (name, area) => ({
    get() {
      try { return JSON.parse(window[area].getItem(name)) || memory[name] || {}; } catch { return memory[name] || {}; }
    },
    set(value) {
      memory[name] = value;
      try { window[area].setItem(name, JSON.stringify(value)); } catch { /* refused: memory serves */ }
    },
  });
  const local = kept(KEY, "localStorage"), session = kept(KEY, "sessionStorage");
  const keep = (more) => local.set({ ...local.get(), ...more });
  const came = session.get();
  if (!came.landing || /[?&]utm_/i.test(location.search)) session.set({ landing: location.href, referrer: document.referrer });

  const messages = new Map();
  let waiting = (local.get().waiting || []).map((each) => ({ ...each, state: "sending" }));
  const own = new Set(waiting.map((one) => one.id));  // what other windows have still to send is theirs
  let after = 0, isOpen = false, office = null, opens = 0, up = true, loaded = false, leader = true, thanked = 0;

  // ------------------------------------------------------------ asking the hub

  const sleepers = new Set();
  const sleep = (ms) => new Promise((done) => {
    const end = () => { clearTimeout(timer); sleepers.delete(end); done(); };
    const timer = setTimeout(end, ms);
    sleepers.add(end);
  });
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");

  const ask = (name, body, signal) => fetch(`${base}/chat/${name}`, {
    method: "POST", mode: "cors", credentials: "omit", cache: "no-store", referrerPolicy: "origin", signal,
    body: body instanceof FormData ? body : JSON.stringify({ token: local.get().token, ...body }),
  });

  let starting = null;
  const start = () => {
    starting = starting || (async () => {
      const answer = await ask("start", {});
      if (!answer.ok) throw new Error(answer.status);
      const told = await answer.json();
      if (!told.known) { messages.clear(); after = 0; }
      keep({ token: told.token });
      office = told.open;
      opens = told.opens;
      tell({ t: "token" });
      draw();
    })().finally(() => { starting = null; });
    return starting;
  };
  const begun = () => (office === null || !local.get().token ? start() : Promise.resolve());

  // A token that the hub does not know (any more) is dropped, and the conversation begins anew.
  const asked = async (name, body) => {
    await begun();
    let answer = await ask(name, body());
    if (answer.status === 401) {
      keep({ token: "" });
      await start();
      answer = await ask(name, body());
    }
    return answer;
  };

  // ------------------------------------------------------------ what comes

  const take = (several, told) => {
    let fresh = null;
    for (const each of several) {
      if (!each || typeof each.id !== "number") continue;
      if (!messages.has(each.id) && !each.mine) fresh = each;
      messages.set(each.id, each);
      after = Math.max(after, each.seq);
      if (each.mine && each.ref) waiting = waiting.filter((one) => one.id !== each.ref);
    }
    if (told) tell({ t: "said", m: several });
    if (fresh && loaded && !isOpen) live.textContent = `${L.fresh}: ${fresh.text}`;
    save();
    draw();
    seen();
  };
  const save = () => keep({
    waiting: [
      ...(local.get().waiting || []).filter((one) => !own.has(one.id)),
      ...waiting.filter((one) => one.state !== "sent" && !one.file).map(({ state, ...rest }) => rest),
    ],
  });

  const history = async () => {
    for (;;) {
      const answer = await asked("history", () => ({ after }));
      if (!answer.ok) throw new Error(answer.status);
      const told = await answer.json();
      take(told.messages, true);
      if (!told.more) break;
    }
    loaded = true;
  };

  let held = 0;  // how often a stream was opened and nothing came through it: some proxies hold answers back
  const follow = async () => {
    const cut = new AbortController();
    let silence = setTimeout(() => { held += 1; cut.abort(); }, 10000);
    try {
      await begun();
      const answer = await ask("stream", { after }, cut.signal);
      if (answer.status === 401) { keep({ token: "" }); office = null; }
      if (!answer.ok) throw new Error(answer.status);
      const reader = answer.body.getReader(), decoder = new TextDecoder();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        held = 0;
        clearTimeout(silence);
        silence = setTimeout(() => cut.abort(), 70000);
        online(true);
        const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
          if (data) take(JSON.parse(data), true);
        }
        if (!loaded) { loaded = true; draw(); }
      }
    } finally {
      clearTimeout(silence);
      cut.abort();
    }
  };

  let following = false;
  const connect = async () => {
    if (following || !leader) return;
    following = true;
    for (let wait = 1; leader; wait = Math.min(wait * 2, 30)) {
      const began = Date.now();
      try {
        if (held < 2) await follow();
        else { await history(); online(true); await sleep(isOpen ? 3000 : 15000); wait = 0.5; continue; }
      } catch { /* told below by the note */ }
      if (Date.now() - began > 20000) wait = 1;
      const late = setTimeout(() => online(false), 2000);
      await sleep(wait * (500 + Math.random() * 1000));
      clearTimeout(late);
      if (wait > 1) online(false);
    }
    following = false;
  };
  const online = (now) => {
    if (up !== now) { up = now; tell({ t: "up", up }); draw(); }
    if (now) flush();
  };
  on(window, "online", () => sleepers.forEach((end) => end()));

  // Of several windows of a site one follows, and tells the others.
  let tell = () => {};
  if (window.BroadcastChannel && navigator.locks) {
    const others = new BroadcastChannel(KEY);
    leader = false;
    tell = (word) => others.postMessage(word);
    others.onmessage = ({ data }) => {
      if (data.t === "said") { loaded = true; take(data.m, false); }
      if (data.t === "up" && !leader) { up = data.up; draw(); }
      if (data.t === "token" && leader && local.get().token) connect();
      if (data.t === "seen") draw();
    };
    navigator.locks.request(KEY, () => {
      leader = true;
      if (local.get().talked || isOpen || local.get().token) connect();
      return new Promise(() => {});
    }).catch(() => { leader = true; });
  }

  // ------------------------------------------------------------ what goes

  const where = () => {
    const now = location.href.split("#")[0];
    return local.get().page === now ? {} : { page: now, title: document.title, ...session.get() };
  };

  const put = (one) => {
    const id = newId();
    own.add(id);
    waiting.push({ id, at: Date.now(), state: "sending", ...where(), ...one });
    keep({ talked: 1 });
    save();
    draw();
    connect();
    flush();
  };

  let flushing = false;
  const flush = async () => {
    if (flushing) return;
    flushing = true;
    for (let wait = 1; ;) {
      const one = waiting.find((each) => each.state === "sending" || each.state === "busy");
      if (!one) break;
      let answer = null;
      try {
        const { state, at, kind, file, ...body } = one;
        answer = await asked(kind, () => {
          if (!file) return body;
          const form = new FormData();
          for (const [name, value] of Object.entries({ token: local.get().token, ...body })) form.append(name, value);
          form.append("file", file, file.name);
          return form;
        });
      } catch { /* tried again below */ }
      if (answer && answer.ok) {
        one.state = "sent";
        if (one.page) keep({ page: one.page });
        wait = 1;
        if (!leader || held > 1) history().catch(() => {});
      } else if (answer && answer.status < 500 && answer.status !== 429) {
        one.state = "failed";
        one.why = answer.status === 413 ? L.big(Math.floor(S.size / 1048576)) : answer.status === 415 ? L.bad : "";
      } else {
        one.state = answer && answer.status === 429 ? "busy" : "sending";
        draw();
        await sleep(Math.max(wait * 1000, answer ? 1000 * answer.headers.get("Retry-After") || 5000 : 0));
        wait = Math.min(wait * 2, 30);
      }
      save();
      draw();
    }
    flushing = false;
  };

  let noting = 0;
  const seen = () => {
    if (!isOpen || document.hidden) return;
    const last = Math.max(0, ...[...messages.values()].filter((each) => !each.mine).map((each) => each.seq));
    if (last <= (local.get().seen || 0)) return;
    keep({ seen: last });
    tell({ t: "seen" });
    draw();
    clearTimeout(noting);
    noting = setTimeout(() => asked("seen", () => ({ seq: last })).catch(() => {}), 400);
  };

  // ------------------------------------------------------------ what is seen

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
    return [h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, url), rest];
  });
  const clock = (at) => new Date(at).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" });
  const day = (at) => {
    const date = new Date(at), ago = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 864e5);
    return ago === 0 ? L.today : ago === 1 ? L.yesterday : date.toLocaleDateString(lang, { day: "numeric", month: "long" });
  };
  const soon = (at) => new Date(at).toLocaleString(lang, { weekday: "short", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
  const size = (bytes) => (bytes > 1e6 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} KB`);

  const fileOf = (file) => {
    const url = file.link && `${base}/chat/file?${file.link}`;
    if (url && /^image\/(png|jpeg|gif|webp)$/.test(file.type)) {
      return h("a", { href: url, target: "_blank", rel: "noopener" }, h("img", { src: url, alt: file.name, loading: "lazy", onload: stick }));
    }
    const inner = [icon(...DOC), h("span", {}, file.name), file.size && h("small", {}, size(file.size))];
    return url ? h("a", { class: "f", href: url, target: "_blank", rel: "noopener" }, ...inner) : div("f", ...inner);
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
      D.privacy && /^https?:/.test(D.privacy) && h("p", {}, L.agree, h("a", { href: D.privacy, target: "_blank", rel: "noopener" }, L.policy)),
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
        const answer = await asked("contact", () => body);
        if (!answer.ok) throw new Error(answer.status);
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

  const host = h("div", { id: "hub-chat" }), root = host.attachShadow({ mode: "open" });
  const live = h("div", { class: "sr", role: "status" });
  const badge = h("span", { class: "n", hidden: true, "aria-hidden": "true" });
  const launcher = h("button", { class: "open", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => toggle(!isOpen) }, icon(CHAT), icon("M6 9l6 6 6-6"), badge);
  const heading = D.title || S.title || L.title;
  const dot = h("span", { class: "dot", "aria-hidden": "true" }), status = h("span", {});
  const note = h("div", { class: "note", role: "status", hidden: true }, L.lost);
  const log = h("div", { class: "log", role: "log", "aria-label": L.log, tabindex: 0 });
  const picker = h("input", { type: "file", hidden: true, tabindex: -1, onchange: () => { [...picker.files].forEach(attach); picker.value = ""; } });
  const entry = h("textarea", { rows: 1, maxlength: 4000, placeholder: L.type, "aria-label": L.type, oninput: () => grow() });
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

  const stick = () => { log.scrollTop = log.scrollHeight; };
  const grow = () => { entry.style.height = "40px"; entry.style.height = `${Math.min(entry.scrollHeight, 120)}px`; };
  const insert = (text) => { entry.setRangeText(text, entry.selectionStart, entry.selectionEnd, "end"); grow(); entry.focus(); };
  const emojis = (shown) => { emoji.hidden = !shown; smile.setAttribute("aria-expanded", shown); stick(); };
  const attach = (file) => {
    const flaw = file.size > S.size ? L.big(Math.floor(S.size / 1048576)) : "";
    put({ kind: "upload", file, ...(flaw && { state: "failed", why: flaw }) });
  };

  const nodes = new Map();
  let drawing = 0;
  const draw = () => { drawing = drawing || requestAnimationFrame(paint); };
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
    status.textContent = office === false ? (opens ? L.back(soon(opens)) : L.away) : L.here;
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
      const look = { ...one, more: near(before, one), tail: !near(one, next), last: at === all.length - 1 && at === rows.length - 1 };
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
    requestAnimationFrame(() => { stick(); seen(); });
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
    grow();
    emojis(false);
    put({ kind: "send", text });
    requestAnimationFrame(() => requestAnimationFrame(stick));
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
  on(document, "visibilitychange", () => { if (!document.hidden) { sleepers.forEach((end) => end()); seen(); } });
  on(window, "storage", (event) => { if (event.key === KEY) draw(); });

  // ------------------------------------------------------------ colours

  const parts = (text) => {
    const hex = /^#([0-9a-f]{6})$/i.exec(text || "");
    if (hex) return [0, 2, 4].map((at) => parseInt(hex[1].substr(at, 2), 16));
    const rgb = /^rgba?\((\d+),\s*(\d+),\s*(\d+)(?:,\s*([\d.]+))?\)$/.exec(text || "");
    return rgb && rgb[4] !== "0" ? rgb.slice(1, 4).map(Number) : null;
  };
  const light = (rgb) => rgb.map((each) => (each / 255 <= 0.03928 ? each / 3294.6 : ((each / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const contrast = (one, other) => (Math.max(light(one), light(other)) + 0.05) / (Math.min(light(one), light(other)) + 0.05);
  const css = (rgb) => `rgb(${rgb.map(Math.round).join(",")})`;
  const WHITE = [255, 255, 255], INK = [20, 23, 31];

  const paintColours = () => {
    const page = [document.body, document.documentElement].map((each) => parts(getComputedStyle(each).backgroundColor)).find(Boolean);
    const dark = D.theme ? D.theme === "dark" : Boolean(page && light(page) < 0.18);
    const accent = parts(D.color) || parts(S.color), back = dark ? [26, 29, 36] : WHITE;
    let ink = accent;
    for (let step = 0; contrast(ink, back) < 4.5 && step < 20; step += 1) ink = ink.map((each) => each + ((dark ? 255 : 0) - each) * 0.12);
    box.classList.toggle("dark", dark);
    box.style.setProperty("--accent", css(accent));
    box.style.setProperty("--on", css(contrast(accent, WHITE) >= 4.5 || contrast(accent, WHITE) > contrast(accent, INK) ? WHITE : INK));
    box.style.setProperty("--link", css(ink));
    box.style.setProperty("--ring", css(ink));
  };

  const appear = () => {
    // A constructed sheet needs no permission of the page's content policy.
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
    } catch {
      const style = h("style", { nonce: tag.nonce || null });
      style.textContent = CSS;
      root.append(style);
    }
    root.append(box);
    document.body.append(host);
    paintColours();
    paint();
    if (leader && (local.get().talked || waiting.length)) connect();
    if (!leader && local.get().talked) history().catch(() => {});
    if (waiting.length) flush();
    window.HubChat = { open: () => toggle(true), close: () => toggle(false) };
  };
  if (document.body) appear();
  else on(document, "DOMContentLoaded", appear);
})();
