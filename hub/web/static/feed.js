// What the hub tells this page: through the worker that all tabs share, or, where a browser has none, by a line of its own.

import { placePiece, refreshStale, topicsHere } from "./regions.js";

const { position, login } = document.body.dataset;
let connected = false;
const listeners = { state: [], whisper: [], piece: [] };

export const on = (kind, listener) => listeners[kind].push(listener);

// Refused: the hub may be busy, or the session of this page's person is over, and then trying again is of no use.
async function askWhy() {
  try {
    const here = `/live/here?login=${encodeURIComponent(login)}`;
    const { type, status } = await fetch(here, { redirect: "manual", credentials: "same-origin", cache: "no-store" });
    const over = type === "opaqueredirect" || status === 403;
    if (over && !connected) listeners.state.forEach((listener) => listener({ connected, over }));
  } catch { /* no connection, as the page says already */ }
}

function heard({ data }) {
  if (data.kind === "state") ({ connected } = data);
  if (data.refused) askWhy();
  if (data.kind === "stale") refreshStale(data.topics, data.missed, data.within, data.at);
  if (data.kind === "piece") placePiece(data);
  listeners[data.kind]?.forEach((listener) => listener(data));
}

function throughWorker() {
  const { port } = new SharedWorker(new URL("./feed-worker.js", import.meta.url), { name: `hub:${login}` });
  port.addEventListener("message", heard);
  port.start();
  const follow = () => port.postMessage({ kind: "follow", topics: topicsHere(), position: Number(position), hidden: document.hidden });
  follow();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) port.postMessage({ kind: "looked" }); });
  addEventListener("pagehide", () => port.postMessage({ kind: "bye" }));
  addEventListener("pageshow", (event) => { if (event.persisted) { follow(); refreshStale(["*"], true); } });
}

// Each such tab holds one of the few lines that a browser has for a host; one that nobody looks at gives it back.
const UNSEEN_MS = 60_000;

function alone() {
  let last = position;
  let source = null;
  let later = null;
  const shut = () => {
    clearTimeout(later);
    source?.close();
    source = null;
  };
  const open = () => {
    shut();
    const wanted = new URLSearchParams({ login, topics: topicsHere().join(","), after: last });
    const opened = new EventSource(`/live?${wanted}`);
    source = opened;
    const take = (kind) => opened.addEventListener(kind, (event) => {
      if (event.lastEventId) last = event.lastEventId;
      const told = JSON.parse(event.data);
      heard({ data: kind === "whisper" ? { ...told, kind, said: told.kind } : { ...told, kind, at: Number(last) } });
    });
    ["stale", "piece", "whisper"].forEach(take);
    opened.addEventListener("still", (event) => { last = event.lastEventId; });
    opened.addEventListener("hello", () => heard({ data: { kind: "state", connected: true } }));
    opened.addEventListener("error", () => {
      const refused = opened.readyState === EventSource.CLOSED;
      heard({ data: { kind: "state", connected: false, refused } });
      if (refused && opened === source) later = setTimeout(open, 5000);
    });
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(later);
    if (document.hidden) later = setTimeout(shut, UNSEEN_MS);
    else if (source === null || source.readyState === EventSource.CLOSED) open();
  });
  addEventListener("pageshow", ({ persisted }) => { if (persisted) open(); });
  open();
}

// `target`: the account in which one writes, whose client may be shown it.
export function whisper(topic, kind, target = "") {
  const body = new URLSearchParams({ topic, kind, target, csrf: document.body.dataset.csrf });
  fetch("/live/whisper", { method: "POST", body, credentials: "same-origin", keepalive: true }).catch(() => {});
}

export function begin() {
  if (!topicsHere().length) return;
  if ("SharedWorker" in globalThis) throughWorker();
  else alone();
}
