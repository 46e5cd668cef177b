// The talk itself: what is remembered, what comes from the hub and what goes there. What is seen of it is drawn elsewhere.

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
const wake = () => sleepers.forEach((end) => end());
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");

const ask = (name, body, signal) => fetch(`${base}/chat/${name}`, {
  method: "POST", mode: "cors", credentials: "omit", cache: "no-store", referrerPolicy: "origin", signal,
  body: body instanceof FormData ? body : JSON.stringify({ token: local.get().token, ...body }),
});

const good = (answer) => {
  if (!answer.ok) throw new Error(answer.status);
  return answer;
};

let starting = null;
const start = () => {
  starting = starting || (async () => {
    const told = await good(await ask("start")).json();
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
    if (each && each.writes) writes(each.writes);
    if (!each || typeof each.id !== "number") continue;
    if (!messages.has(each.id) && !each.mine) fresh = each;
    messages.set(each.id, each);
    after = Math.max(after, each.seq);
    if (each.mine && each.ref) waiting = waiting.filter((one) => one.id !== each.ref);
  }
  if (fresh) writes("");
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
    const told = await good(await asked("history", () => ({ after }))).json();
    take(told.messages, true);
    if (!told.more) break;
  }
  loaded = true;
};

// Who of the office writes at this moment; nobody again where nothing more is told of it.
let writer = "", letGo = 0;
const writes = (name) => {
  writer = name;
  clearTimeout(letGo);
  letGo = name && setTimeout(writes, 6000, "");
  draw();
};

let held = 0;  // how often a stream was opened and nothing came through it: some proxies hold answers back
const follow = async () => {
  const cut = new AbortController();
  let silence = setTimeout(() => { held += 1; cut.abort(); }, 10000);
  try {
    await begun();
    const answer = await ask("stream", { after }, cut.signal);
    if (answer.status === 401) { keep({ token: "" }); office = null; }
    const reader = good(answer).body.getReader(), decoder = new TextDecoder();
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
on(window, "online", wake);

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
    const code = answer ? answer.status : 0;
    if (answer && answer.ok) {
      one.state = "sent";
      if (one.page) keep({ page: one.page });
      wait = 1;
      if (!leader || held > 1) history().catch(() => {});
    } else if (code && code < 500 && code !== 429) {
      one.state = "failed";
      one.why = code === 413 ? L.big : code === 415 ? L.bad : "";
    } else {
      one.state = code === 429 ? "busy" : "sending";
      draw();
      await sleep(Math.max(wait * 1000, answer ? 1000 * answer.headers.get("Retry-After") || 5000 : 0));
      wait = Math.min(wait * 2, 30);
    }
    save();
    draw();
  }
  flushing = false;
};

// That something is being written, nothing of what; the office has nobody to see it of before the first message.
let wrote = 0;
const writing = () => {
  if (!messages.size || !entry.value || Date.now() - wrote < 3000) return;
  wrote = Date.now();
  ask("writes").catch(() => {});
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
