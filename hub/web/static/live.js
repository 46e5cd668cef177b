// Refreshes the part of a page that changes, whenever the hub tells of a change. Without scripts the page works, too.

const SETTLE_MS = 300;
const TICK_MS = 30_000; // how long somebody waits is shown in minutes
const TABLES = ["timeline", "contact_case", "contact", "lead", "call", "app_user", "identity"];

const part = document.querySelector("#live[data-live]");

if (part) {
  let pending = null;
  let loading = false;
  let again = false;

  const busy = () => {
    const inside = part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    const playing = [...part.querySelectorAll("audio")].some((audio) => !audio.paused);
    return inside || playing || part.querySelector("details[open]") !== null;
  };

  const showSign = () => part.querySelectorAll(".live-sign").forEach((sign) => { sign.hidden = false; });

  const refresh = async () => {
    pending = null;
    if (loading) { again = true; return; }
    if (busy() || document.hidden) { schedule(2000); return; }
    loading = true;
    try {
      const answer = await fetch(part.dataset.live, { credentials: "same-origin", redirect: "error" });
      const type = answer.headers.get("Content-Type") ?? "";
      if (answer.ok && type.startsWith("text/html") && !busy()) {
        part.innerHTML = await answer.text();
        showSign();
      }
    } catch {
      schedule(5000); // the hub is restarting, or the session has ended; the page stays as it is
    } finally {
      loading = false;
      if (again) { again = false; schedule(SETTLE_MS); }
    }
  };

  const schedule = (delay) => { pending ??= setTimeout(refresh, delay); };

  const source = new EventSource(`/api/v1/events?after=${part.dataset.after}`);
  const heard = (event) => {
    const told = JSON.parse(event.data);
    const mine = part.dataset.contact;
    if (!mine || String(told.contact_id) === mine) schedule(SETTLE_MS);
  };
  TABLES.forEach((table) => source.addEventListener(table, heard));
  source.addEventListener("open", showSign);
  setInterval(() => schedule(0), TICK_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) schedule(0); });
}
