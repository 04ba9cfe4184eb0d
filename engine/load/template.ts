/** What placeholders stand for. */
export type Values = Readonly<Record<string, unknown>>;

const placeholder = /\{([A-Za-z][\w/-]*)\}/g;

/** Names of the placeholders in every text of a JSON value. */
export function placeholdersOf(template: unknown): string[] {
  if (typeof template === "string") return [...template.matchAll(placeholder)].map(([, name]) => name ?? "");
  if (Array.isArray(template)) return template.flatMap(placeholdersOf);
  return typeof template === "object" && template !== null ? Object.values(template).flatMap(placeholdersOf) : [];
}

/** `{name}` in a text → its value. @throws for a name that stands for nothing. */
export function fillText(template: string, values: Values): string {
  if (!template.includes("{")) return template;
  return template.replaceAll(placeholder, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === null) throw new Error(`{${name}} stands for nothing here`);
    return String(value);
  });
}

/** Placeholders in every text of a JSON value; a text that is nothing but one keeps the value's type. */
export function fill(template: unknown, values: Values): unknown {
  if (typeof template === "string") {
    const whole = /^\{([A-Za-z][\w/-]*)\}$/.exec(template)?.[1];
    return whole !== undefined && whole in values ? values[whole] : fillText(template, values);
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, values));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, item]) => [key, fill(item, values)]));
}
