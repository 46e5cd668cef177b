// The site's colours, made readable.

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
  const white = contrast(accent, WHITE), on = white >= 4.5 || white > contrast(accent, INK) ? WHITE : INK;
  Object.entries({ accent, on, link: ink }).forEach(([name, rgb]) => box.style.setProperty(`--${name}`, css(rgb)));
};
