"use strict";
// Filters live in the address (#level=high,critical&rule=…&host=…&technique=…&q=…), so a view can be sent as a link.
(() => {
  const form = document.getElementById("filters");
  const list = [...document.querySelectorAll(".finding")];
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const levels = [...form.querySelectorAll("[name=level]")];
  const cells = [...document.querySelectorAll("button.cell")];
  const { rule, host, q } = form.elements;
  let technique = "";

  const search = new WeakMap(); // each finding's text in lower case, made when first asked for
  const text = (finding) => {
    if (!search.has(finding)) search.set(finding, finding.textContent.toLowerCase());
    return search.get(finding);
  };
  const has = (finding, name, wanted) => !wanted || JSON.parse(finding.dataset[name]).includes(wanted);

  const apply = () => {
    const on = levels.filter((box) => box.checked).map((box) => box.value);
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const finding of list) {
      const passes = (on.length === 0 || on.includes(finding.dataset.level))
        && (!rule.value || finding.dataset.rule === rule.value)
        && has(finding, "hosts", host.value) && has(finding, "techniques", technique)
        && words.every((word) => text(finding).includes(word));
      finding.hidden = !passes;
      count += passes;
    }
    for (const cell of cells) cell.setAttribute("aria-pressed", String(cell.dataset.technique === technique));
    shown.textContent = String(count);
    nothing.hidden = count > 0;
    const kept = { level: on.join(","), rule: rule.value, host: host.value, technique, q: q.value };
    const state = new URLSearchParams(Object.entries(kept).filter(([, value]) => value)).toString();
    history.replaceState(null, "", "#" + state);
  };

  const restore = () => {
    const linked = location.hash.startsWith("#f-") && document.getElementById(location.hash.slice(1));
    if (linked) {  // from the story of an attack
      linked.hidden = false;
      linked.open = true;
      linked.scrollIntoView();
      return;
    }
    const state = new URLSearchParams(location.hash.slice(1));
    const on = (state.get("level") || "").split(",");
    for (const box of levels) box.checked = on.includes(box.value);
    rule.value = state.get("rule") || "";
    host.value = state.get("host") || "";
    q.value = state.get("q") || "";
    technique = state.get("technique") || "";
    apply();
  };

  const open = (wanted) => { for (const finding of list) if (!finding.hidden) finding.open = wanted; };
  const clear = () => { history.replaceState(null, "", "#"); restore(); };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("open").addEventListener("click", () => open(true));
  document.getElementById("close").addEventListener("click", () => open(false));
  document.getElementById("clear").addEventListener("click", clear);
  for (const cell of cells) {
    cell.disabled = false;
    cell.addEventListener("click", () => {
      technique = technique === cell.dataset.technique ? "" : cell.dataset.technique;
      apply();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      q.focus();
    } else if (event.key === "Escape") clear();
  });
  window.addEventListener("hashchange", restore);
  restore();
})();
