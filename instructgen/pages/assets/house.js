"use strict";
// The theme switch, the switch of the boxes, and the evidence of a claim: shown where it fits, with its boxes lit.
(() => {
  const root = document.documentElement;
  const THEMES = ["auto", "light", "dark"];
  const read = name => { try { return localStorage.getItem(name); } catch { return null; } };
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a page from disk may not */ } };

  function setTheme(theme) {
    if (theme === "auto") root.removeAttribute("data-theme"); else root.setAttribute("data-theme", theme);
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.textContent = `Theme: ${theme}`;
      button.value = theme;
    }
    document.dispatchEvent(new CustomEvent("themechange"));
  }
  function setBoxes(shown) {
    root.dataset.boxes = shown ? "on" : "off";
    for (const button of document.querySelectorAll("[data-set-boxes]")) {
      button.setAttribute("aria-pressed", String(shown));
    }
  }
  const areBoxesShown = () => root.dataset.boxes !== "off";
  const chosen = read("instructgen-theme");
  if (chosen === "light" || chosen === "dark") root.setAttribute("data-theme", chosen);

  document.addEventListener("DOMContentLoaded", () => {
    setTheme(root.dataset.theme || "auto");
    setBoxes(areBoxesShown());
  });
  document.addEventListener("click", event => {
    const theme = event.target.closest("[data-set-theme]");
    if (theme) {
      const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length];
      keep("instructgen-theme", next);
      setTheme(next);
    }
    const chip = event.target.closest(".chip");
    if (chip) {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      light(chip, false);
    }
    if (event.target.closest("[data-set-boxes]")) setBoxes(!areBoxesShown());
  });
  const isTyping = target => target.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") for (const mark of document.querySelectorAll("mark.claim")) mark.classList.add("closed");
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "b" && document.querySelector("[data-set-boxes]")) setBoxes(!areBoxesShown());
  });

  function place(mark) {
    const evidence = mark.nextElementSibling;
    const turn = mark.closest(".turn");
    if (!evidence || !turn) return;
    mark.classList.remove("closed");
    const frame = turn.getBoundingClientRect();
    const at = mark.getClientRects();
    const last = at[at.length - 1];
    const room = turn.clientWidth - evidence.offsetWidth;
    evidence.style.left = `${Math.max(0, Math.min(last.left - frame.left - turn.clientLeft, room))}px`;
    evidence.style.top = `${last.bottom - frame.top - turn.clientTop + 3}px`;
    evidence.style.marginTop = "0";
  }
  const readSubjects = mark => (mark.dataset.subjects || "").split("\n").filter(Boolean);
  function light(mark, on) {
    const sample = mark.closest(".sample");
    if (!sample) return;
    const subjects = new Set(on ? readSubjects(mark) : []);
    for (const chip of sample.querySelectorAll(".chip[aria-pressed='true']")) {
      for (const subject of readSubjects(chip)) subjects.add(subject);
    }
    for (const drawing of sample.querySelectorAll("svg.boxes")) {
      let found = false;
      for (const box of drawing.querySelectorAll("g[data-label]")) {
        const isLit = subjects.has(box.dataset.label);
        box.classList.toggle("lit", isLit);
        found = found || isLit;
      }
      drawing.classList.toggle("some-lit", found);
    }
  }
  for (const [begins, ends] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(begins, event => {
      const mark = event.target.closest && event.target.closest("mark.claim, .chip");
      if (mark) { place(mark); light(mark, true); }
    });
    document.addEventListener(ends, event => {
      const mark = event.target.closest && event.target.closest("mark.claim, .chip");
      if (mark) light(mark, false);
    });
  }
})();
