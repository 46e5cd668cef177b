// The chat on a site's pages. One script, nothing of others, no build. Everything that people wrote becomes text nodes.
// Blanks are taken out of it on its way (channels/web/script.py): texts stand in double quotes or backticks, and no regular
// expression holds either. Its parts lie beside it: they are put in where they are named, and see each other's names.
(() => {
  "use strict";
  const S = __SETTINGS__, CSS = __STYLE__;
  const tag = document.currentScript || document.querySelector(`script[src*="${encodeURI(S.path)}/widget.js"]`);
  if (!tag || !window.fetch || !window.ReadableStream || !Element.prototype.attachShadow) return;
  const base = tag.src.replace(/\/widget\.js([?#].*)?$/, ""), D = tag.dataset, KEY = `hub-chat:${base}`;
  if (window[KEY]) return;
  window[KEY] = true;

  __WORDS__
  __TALKING__
  __DRAWING__
  __PANEL__
  __COLOURS__

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
