// Keys for those who don't want the mouse. Without this script every page works as well.
"use strict";
(() => {
  const rows = [...document.querySelectorAll("a.row")];
  const step = (by) => {
    const at = rows.indexOf(document.activeElement);
    const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  const focus = (id) => () => document.getElementById(id)?.focus();
  const follow = (rel) => () => document.querySelector(`a[rel=${rel}]`)?.click();
  const keys = {
    "/": focus("search"), j: () => step(1), k: () => step(-1), n: follow("next"), p: follow("prev"), u: follow("up"),
    s: focus("status"), a: focus("owner"), m: focus("note"),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
})();
