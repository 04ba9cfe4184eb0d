import { trusted, type Html } from "./html.ts";

/**
 * Shows the filter (hidden without scripts), narrows the checks to what is typed and ticked, opens the categories that hold
 * a match, and opens everything for printing.
 */
export const filterScript: Html = trusted(`
(() => {
  const form = document.querySelector(".filter");
  const categories = [...document.querySelectorAll(".category")];
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.dataset.was = d.open ? "open" : ""; d.open = true; }));
  addEventListener("afterprint", () => document.querySelectorAll("details").forEach((d) => { d.open = d.dataset.was === "open"; }));
  if (!form) return;
  const opened = new Map(categories.map((c) => [c, c.open]));
  const rows = [...document.querySelectorAll(".row")];
  const search = form.querySelector("input[type=search]");
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const output = form.querySelector("output");
  let active = false;
  const apply = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const wanted = boxes.filter((b) => b.checked).map((b) => b.value);
    if (!active) categories.forEach((c) => opened.set(c, c.open));
    active = words.length > 0 || wanted.length > 0;
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const match = (wanted.length === 0 || wanted.includes(row.dataset.standing)) && words.every((w) => text.includes(w));
      row.hidden = !match;
      if (match) shown += 1;
    }
    for (const category of categories) {
      const any = category.querySelector(".row:not([hidden])") !== null;
      category.hidden = active && !any;
      category.open = active ? any : opened.get(category);
    }
    output.textContent = active ? shown + " of " + rows.length + " shown" : "";
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
})();
`);
