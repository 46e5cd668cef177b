// One connection for all tabs of a browser: browsers open no more than six to one host.
// Of each person one: another who logs in later has a worker of their own. A tab says what it follows; what the hub tells is passed on to every tab that follows it.

const login = self.name.slice("hub:".length); // whose pages these are
const tabs = new Map(); // port -> topics
let source = null;
let followed = "";
let last = null; // the position up to which everything was told
let again = null;
let pause = 1000;

const topicsOfAll = () => [...new Set([...tabs.values()].flatMap((topics) => [...topics]))].sort().join(",");

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

function follow(port, topics, position) {
  tabs.set(port, new Set(topics));
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

function leave(port) {
  tabs.delete(port);
  if (tabs.size) return;
  followed = "";
  open();
}

function heard(port, { data }) {
  if (data.kind === "follow") follow(port, data.topics, data.position);
  else if (data.kind === "bye") leave(port);
}

self.addEventListener("connect", (event) => {
  const [port] = event.ports;
  port.addEventListener("message", (message) => heard(port, message));
  port.start();
});
