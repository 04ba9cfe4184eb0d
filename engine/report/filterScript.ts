import { trusted, type Html } from "./html.ts";

/**
 * Shows the filter (hidden without scripts), narrows the checks to what is typed and ticked, opens the categories that hold
 * a match, and opens everything for printing.
 */
export const filterScript: Html = trusted(`
(() => {
  const form = document.querySelector(".filter");
  const folds = [...document.querySelectorAll(".category, .calm")];
  addEventListener("beforeprint", () => folds.forEach((fold) => { fold.dataset.was = fold.open ? "open" : ""; fold.open = true; }));
  addEventListener("afterprint", () => folds.forEach((fold) => { fold.open = fold.dataset.was === "open"; }));
  if (!form) return;
  const opened = new Map();
  const rows = [...document.querySelectorAll(".row")];
  const search = form.querySelector("input[type=search]");
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const output = form.querySelector("output");
  let active = false;
  const apply = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const wanted = boxes.filter((b) => b.checked).map((b) => b.value);
    if (!active) folds.forEach((fold) => opened.set(fold, fold.open));
    active = words.length > 0 || wanted.length > 0;
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const match = (wanted.length === 0 || wanted.includes(row.dataset.standing)) && words.every((w) => text.includes(w));
      row.hidden = !match;
      if (match) shown += 1;
    }
    for (const fold of folds) {
      const any = fold.querySelector(".row:not([hidden])") !== null;
      fold.hidden = active && !any;
      fold.open = active ? any : opened.get(fold);
    }
    output.textContent = active ? shown + " of " + rows.length + " shown" : "";
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
})();
`);
