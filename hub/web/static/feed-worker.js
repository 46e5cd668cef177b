// One connection for all tabs of a browser: browsers open no more than six to one host.
// Of each person one: another who logs in later has a worker of their own. A tab says what it follows; what the hub tells is passed on to every tab that follows it.

const login = self.name.slice("hub:".length); // whose pages these are
const MOST_TOPICS = 64; // that the hub lets one browser follow
let tabs = new Map(); // port -> topics, those that were looked at last behind the others
const left = new Set(); // ports of tabs for whose topics there is no room; they are followed again when somebody looks at them
let source = null;
let followed = "";
let last = null; // the position up to which everything was told
let again = null;
let pause = 1000;

function topicsOfAll() {
  const found = new Set();
  left.clear();
  [...tabs].reverse().forEach(([port, topics]) => {
    const all = new Set([...found, ...topics]);
    if (all.size <= MOST_TOPICS) topics.forEach((topic) => found.add(topic));
    else left.add(port);
  });
  return [...found].sort().join(",");
}

const tellAll = (message) => tabs.forEach((_, port) => port.postMessage(message));

const tell = (topic, message) => tabs.forEach((topics, port) => { if (topics.has(topic)) port.postMessage(message); });

function seen(event) {
  if (event.lastEventId) last = Number(event.lastEventId);
}

function open() {
  clearTimeout(again);
  source?.close();
  source = null;
  if (!followed) return;
  const after = last === null ? "" : `&after=${last}`;
  const whose = `login=${encodeURIComponent(login)}`;
  const opened = new EventSource(`/live?${whose}&topics=${encodeURIComponent(followed)}${after}`);
  source = opened;
  opened.addEventListener("hello", (event) => { pause = 1000; seen(event); tellAll({ kind: "state", connected: true }); });
  opened.addEventListener("stale", (event) => {
    seen(event);
    const { topics, missed, within } = JSON.parse(event.data);
    tabs.forEach((mine, port) => {
      const found = topics.includes("*") ? ["*"] : topics.filter((topic) => mine.has(topic));
      if (found.length) port.postMessage({ kind: "stale", topics: found, missed, within, at: last });
    });
  });
  opened.addEventListener("still", seen);
  opened.addEventListener("piece", (event) => {
    seen(event);
    const piece = JSON.parse(event.data);
    tell(piece.topic, { kind: "piece", ...piece });
  });
  opened.addEventListener("whisper", (event) => {
    const { kind: said, ...whisper } = JSON.parse(event.data);
    tell(whisper.topic, { kind: "whisper", said, ...whisper });
  });
  opened.addEventListener("error", () => {
    if (source !== opened) return;
    const refused = opened.readyState === EventSource.CLOSED;
    tellAll({ kind: "state", connected: false, refused });
    if (!refused) return; // it tries again by itself
    source = null; // a tab that comes in the meantime, of whoever logged in again, need not wait
    again = setTimeout(open, pause);
    pause = Math.min(pause * 2, 30_000);
  });
}

function follow(port, topics, position, hidden = false) {
  tabs.delete(port);
  const tab = [port, new Set(topics)];
  tabs = new Map(hidden ? [tab, ...tabs] : [...tabs, tab]);
  const behind = last !== null && position < last; // its page was drawn before what the others were told meanwhile
  if (last === null) last = position;
  const wanted = topicsOfAll();
  if (wanted !== followed || source === null) {
    followed = wanted;
    open();
  } else {
    port.postMessage({ kind: "state", connected: source.readyState === EventSource.OPEN });
  }
  if (behind) port.postMessage({ kind: "stale", topics: ["*"], missed: true });
}

function looked(port) {
  const topics = tabs.get(port);
  if (!topics) return;
  if (left.has(port)) { follow(port, topics, 0); return; } // what it shows is not what the others were told
  tabs.delete(port);
  tabs.set(port, topics);
}

function leave(port) {
  tabs.delete(port);
  if (tabs.size) return;
  followed = "";
  open();
}

function heard(port, { data }) {
  if (data.kind === "follow") follow(port, data.topics, data.position, data.hidden);
  else if (data.kind === "looked") looked(port);
  else if (data.kind === "bye") leave(port);
}

self.addEventListener("connect", (event) => {
  const [port] = event.ports;
  port.addEventListener("message", (message) => heard(port, message));
  port.start();
});
