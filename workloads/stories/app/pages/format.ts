/** `€4.99`; "Free" for nothing. */
export function price(cents: number, currency = "EUR"): string {
  return cents === 0 ? "Free" : money(cents, currency);
}

/** `€0.00`. */
export function money(cents: number, currency = "EUR"): string {
  return new Intl.NumberFormat("en-IE", { style: "currency", currency }).format(cents / 100);
}

/** `7 March 2024`, in UTC. */
export function day(iso: string): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(new Date(iso));
}

/** `12 orders`, `1 order`, `1,200 orders`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  return `${new Intl.NumberFormat("en-GB").format(amount)} ${amount === 1 ? noun : plural}`;
}

/** At 200 words a minute, never under one. */
export function readingTime(words: number): string {
  return `${Math.max(1, Math.round(words / 200))}\u00a0min`;
}

/** `Learner` for `LEARNER`, `In review` for `IN_REVIEW`. */
export function label(constant: string): string {
  const text = constant.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
