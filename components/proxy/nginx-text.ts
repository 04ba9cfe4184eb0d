/** A value as one quoted word of nginx's configuration. Does not touch `$`: nginx has no escape for it. */
export function quoted(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Text for an HTML page that nginx emits: HTML's characters escaped, and `$`, which nginx would read as a variable. */
export function htmlText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
    .replaceAll("$", "&#36;")
    .replaceAll(/\p{Cc}+/gu, " ");
}

/** Shifts every line but empty ones right by `levels` of four spaces. */
export function indented(text: string, levels = 1): string {
  return text.replaceAll(/^(?=.)/gm, "    ".repeat(levels));
}
