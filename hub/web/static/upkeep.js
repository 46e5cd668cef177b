// A table may be larger than a form may be: it is sent ahead as it is, and the form names it.

import "./sizes.js";

for (const form of document.querySelectorAll("form[data-uploads]")) {
  const { upload, file } = form.elements;
  const progress = form.querySelector("progress");
  const problem = form.querySelector("[data-upload-problem]");
  form.addEventListener("submit", (event) => {
    const chosen = file.files[0];
    if (!chosen || upload.value) return;
    event.preventDefault();
    problem.textContent = "";
    progress.classList.remove("unseen");
    const request = new XMLHttpRequest(); // fetch tells nothing of what was sent
    request.open("POST", `${form.dataset.uploads}?name=${encodeURIComponent(chosen.name)}`);
    request.setRequestHeader("X-CSRF", document.body.dataset.csrf);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", ({ loaded, total }) => { progress.value = total ? (loaded / total) * 100 : 0; });
    request.addEventListener("load", () => {
      const told = request.getResponseHeader("Content-Type")?.startsWith("application/json") ? JSON.parse(request.responseText) : {};
      if (request.status === 201) {
        upload.value = told.id;
        file.disabled = true;
        form.submit();
      } else problem.textContent = told.detail ?? String(request.status);
    });
    request.addEventListener("error", () => { problem.textContent = "×"; });
    request.send(chosen);
  });
}
// Coming back to the page with the browser's own button: the file is chosen anew.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-uploads]").forEach((form) => { form.elements.upload.value = ""; form.elements.file.disabled = false; });
});
