// A person's own page: copying what is shown once, printing it, asking the browser's leave for notifications.

for (const button of document.querySelectorAll("[data-copies]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const shown = document.getElementById(button.dataset.copies);
    await navigator.clipboard.writeText(shown.innerText.trim());
    button.disabled = true;
  });
}

for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

const wished = document.querySelector("[data-asks-leave]");
const denied = document.querySelector("[data-leave-denied]");
if (wished && denied) {
  const forbidden = () => wished.checked && window.Notification?.permission === "denied";
  const told = () => { denied.textContent = forbidden() ? denied.dataset.leaveDenied : ""; };
  told();
  wished.addEventListener("change", async () => {
    if (wished.checked && window.Notification?.permission === "default") await Notification.requestPermission();
    told();
  });
}
