// Notifications of the desktop and a sound, where a person allowed them; of several tabs only one speaks.

const { notifications, sound } = document.body.dataset;
const QUIET_MS = 3000;
const CLAIM_MS = 200; // in which what one tab keeps is known to the others
const FADES_MS = 12000;
const MOST_NOTICES = 4;

function chime() {
  const context = new AudioContext();
  [660, 880].forEach((pitch, index) => {
    const tone = context.createOscillator();
    const level = context.createGain();
    const at = context.currentTime + index * 0.18;
    tone.frequency.value = pitch;
    level.gain.setValueAtTime(0.0001, at);
    level.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
    tone.connect(level).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.32);
  });
  setTimeout(() => context.close(), 1000);
}

function notified(title, options) {
  try { return new Notification(title, options); } catch { return null; } // telephones show those of installed programs alone
}

function speak({ id, dataset }) {
  if (sound) chime();
  if (!notifications || Notification.permission !== "granted") return;
  const shown = notified(dataset.notify, { body: dataset.notifyText ?? "", tag: id });
  if (shown === null) return;
  shown.addEventListener("click", () => {
    focus();
    if (dataset.notifyUrl) location.assign(dataset.notifyUrl);
    shown.close();
  });
}

// A notice is shown once, and not to whom it is in front of already; then it fades. One that is told again while it is
// shown goes on being shown, and says nothing new.
const heard = ({ id, dataset: { mark } }) => sessionStorage.getItem(id) === mark;
const inFront = ({ dataset: { client } }) => !document.hidden && document.querySelector(`main [data-client="${client}"]`) !== null;

// One form or letter may make a lead and a case: the case is what is shown, and both are said as one.
const yields = ({ dataset }) => dataset.yields !== undefined;

function fade(notice) {
  setTimeout(() => (notice.matches(":hover, :focus-within") ? fade(notice) : notice.remove()), FADES_MS);
}

function placed({ target, detail }) {
  const { notify, mark } = target.dataset;
  if (!notify || (mark === undefined && !detail.fresh)) return;
  if (mark !== undefined) {
    const again = heard(target);
    sessionStorage.setItem(target.id, mark);
    if (inFront(target) || (again && detail.fresh)) { target.remove(); return; }
    const others = [...target.parentElement.querySelectorAll("[data-mark]")].filter((each) => each !== target);
    const ofClient = others.filter((each) => each.dataset.client === target.dataset.client);
    if (yields(target) && ofClient.some((each) => !yields(each))) { target.remove(); return; }
    ofClient.filter(yields).forEach((each) => each.remove());
    fade(target);
    if (again) return;
    others.slice(MOST_NOTICES - 1).forEach((each) => each.remove());
  }
  onceOfAllTabs(`notify:${mark === undefined ? target.id : `client-${target.dataset.client}`}`, () => speak(target));
}

function onceOfAllTabs(key, act) {
  if (!navigator.locks) { // browsers keep them from pages that come over plain HTTP
    const [last, at] = (localStorage.getItem("notified") ?? "").split(" ");
    if (last === key && Date.now() - Number(at) < QUIET_MS) return;
    const claim = `${key} ${Date.now()} ${Math.random()}`;
    localStorage.setItem("notified", claim); // of tabs that come at once, the last one keeps it
    setTimeout(() => { if (localStorage.getItem("notified") === claim) act(); }, CLAIM_MS);
    return;
  }
  navigator.locks.request(key, { ifAvailable: true }, (lock) => {
    if (lock === null) return undefined;
    act();
    return new Promise((done) => { setTimeout(done, QUIET_MS); });
  });
}

export function begin() {
  document.addEventListener("placed", placed);
  document.querySelectorAll("[data-ask-notifications]").forEach((button) => {
    button.hidden = !("Notification" in globalThis) || Notification.permission !== "default";
    button.addEventListener("click", async () => { button.hidden = (await Notification.requestPermission()) !== "default"; });
  });
}
