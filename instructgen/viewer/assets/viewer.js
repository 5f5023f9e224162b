"use strict";
// Keys, and the filters open where there is room. Everything here is also a link or a button: pages work without it.
(() => {
  const find = selector => document.querySelector(selector);
  const isTyping = target => target.closest("input, textarea, select, [contenteditable]");
  const started = performance.now();
  let hidden_ms = 0, hidden_since = null;

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") hidden_since = performance.now();
    else if (hidden_since !== null) { hidden_ms += performance.now() - hidden_since; hidden_since = null; }
  });
  document.addEventListener("submit", event => {
    const field = event.target.querySelector("[data-seconds]");
    if (field) field.value = ((performance.now() - started - hidden_ms) / 1000).toFixed(3);
  });
  document.addEventListener("DOMContentLoaded", () => {
    const filters = find("details.filters");
    if (filters && matchMedia("(min-width: 62rem)").matches) filters.open = true;
    const last = sessionStorage.getItem("instructgen-last");
    const card = last && find("#results") && [...document.querySelectorAll("a.card")].find(one => one.getAttribute("href") === last);
    if (card) card.focus();
  });
  // A field that is empty is no part of the address.
  document.addEventListener("htmx:configRequest", event => {
    const values = event.detail.parameters;
    for (const name of Object.keys(values)) if (values[name] === "" || isDefault(name, values)) delete values[name];
    // The search field tells of a change again when it is left: what is shown already would be in the history twice.
    if (sortParts(values) === sortParts(Object.fromEntries(new URLSearchParams(location.search)))) event.preventDefault();
  });
  const sortParts = values => JSON.stringify(Object.entries(values).map(([name, value]) => [name, String(value)]).sort());
  const isDefault = (name, values) => (name === "sort" && values.sort === "order") || (name === "where" && (!values.thing || values.where === "said"));
  document.addEventListener("formdata", event => {
    if (!event.target.matches(".search")) return;
    const values = Object.fromEntries(event.formData);
    for (const name of Object.keys(values)) if (values[name] === "" || isDefault(name, values)) event.formData.delete(name);
  });
  document.addEventListener("click", event => {
    if (event.target.closest("[data-show-keys]")) find("#keys").showModal();
    const card = event.target.closest("a.card");
    if (card) sessionStorage.setItem("instructgen-last", card.getAttribute("href"));
  });

  function step(by) {
    const cards = [...document.querySelectorAll("a.card")];
    if (!cards.length) { follow(by > 0 ? "next" : "prev"); return; }
    const next = cards.indexOf(document.activeElement) + by;
    if (document.activeElement && cards.includes(document.activeElement) ? next < 0 || next >= cards.length : false) follow(by > 0 ? "next" : "prev");
    else cards[Math.max(0, next)].focus();
  }
  function follow(rel) { find(`main a[rel="${rel}"]`)?.click(); }
  function openPart(part) {
    part.open = true;
    part.querySelector("textarea, input:not([type=hidden])")?.focus();
  }
  const KEYS = {
    j: () => step(1), k: () => step(-1), ArrowRight: () => follow("next"), ArrowLeft: () => follow("prev"),
    "/": () => { find("#q") ? (find("#q").focus(), find("#q").select()) : find("[data-list]")?.click(); },
    l: () => find("[data-list]")?.click(), "?": () => find("#keys").showModal(),
  };
  function inReject(event) {
    const open = event.target.closest("details.reject[open]");
    const field = event.target.closest("input");
    if (!open || (field && field.value !== "")) return false;
    const button = open.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return false;
    event.preventDefault();
    button.click();
    return true;
  }
  document.addEventListener("keydown", event => {
    const edit = event.target.closest("details.edit form, details.reject form");
    if (event.key === "Escape" && edit) { const part = edit.closest("details"); part.open = false; part.querySelector("summary").focus(); return; }
    if (edit && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); edit.requestSubmit(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || inReject(event)) return;
    if (isTyping(event.target) || find("dialog[open]")) return;
    const part = find(`details[data-open="${CSS.escape(event.key)}"]`);
    const button = find(`.review .acts > form > button[data-key="${CSS.escape(event.key)}"], .review .acts > a[data-key="${CSS.escape(event.key)}"]`);
    const act = part ? () => openPart(part) : button ? () => button.click() : KEYS[event.key];
    if (act) { event.preventDefault(); act(); }
  });
})();
