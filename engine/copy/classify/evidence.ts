import type { Content } from "./content.ts";
import type { Detector } from "./detectors.ts";
import type { DataKind } from "./hints.ts";

export type Confidence = "high" | "medium" | "low";

/** What speaks for a kind of data, in words that hold no value. */
export interface Evidence {
  readonly kind: DataKind;
  readonly confidence: Confidence;
  readonly reason: string;
}

/** Detectors that a whole value must fit, by what they find; what they are called in a reason. */
const forms: readonly (readonly [DataKind, Detector, string])[] = [
  ["email", "email", "email addresses"],
  ["iban", "iban", "IBANs (modulo 97)"],
  ["card", "card", "card numbers (Luhn)"],
  ["mac", "mac", "MAC addresses"],
  ["ip", "ip", "IP addresses"],
  ["identity-number", "identityNumber", "identity numbers"],
  ["phone", "phone", "telephone numbers"],
  ["position", "position", "positions on Earth"],
  ["secret", "secret", "tokens or hashes"],
  ["address", "address", "postal addresses"],
  ["company", "company", "company names"],
];

/** Detectors of what stands inside a longer text. */
const insides: readonly (readonly [Detector, string])[] = [
  ["emailInside", "email addresses"],
  ["phoneInside", "telephone numbers"],
  ["cardInside", "card numbers"],
  ["ibanInside", "IBANs"],
];

const share = (content: Content, detector: Detector): number => (content.distinct === 0 ? 0 : content.hits[detector] / content.distinct);
export const percent = (part: number): string => `${Math.round(part * 100)}%`;
const sampled = (content: Content): string => `${content.distinct} different value(s)`;

/** Nearly all values of one form. */
const mostly = 0.6;
/** A column of names holds this many common ones at least, whoever stands in it. */
const namesAtLeast = 0.1;
const fewValues = 10;

/** Few values, over and over: a category and nobody's own. */
export function isCategory({ values, distinct }: Content): boolean {
  return distinct > 0 && distinct <= 12 && values >= 4 * distinct && values >= 20;
}

/** What the values themselves say, if anything. */
export function evidenceOf(content: Content): Evidence | undefined {
  if (content.distinct === 0) return undefined;
  for (const [kind, detector, called] of forms) {
    const part = share(content, detector);
    if (part < mostly || (kind === "company" && isCategory(content))) continue;
    const confidence = part >= 0.9 && content.distinct >= fewValues ? "high" : "medium";
    return { kind, confidence, reason: `${percent(part)} of ${sampled(content)} look like ${called}` };
  }
  return namesIn(content);
}

function namesIn(content: Content): Evidence | undefined {
  const enough = (detector: Detector): boolean => {
    const part = share(content, detector);
    return content.distinct >= fewValues ? part >= namesAtLeast : part >= 0.5 && content.hits[detector] >= 3;
  };
  const reason = (detector: Detector, called: string): string => `${percent(share(content, detector))} of ${sampled(content)} are common ${called}`;
  const several = content.averageWords >= 1.7 && content.averageWords <= 4.5;
  if (enough("givenName")) {
    const both = several || enough("surname");
    return { kind: both && several ? "full-name" : "first-name", confidence: "medium", reason: reason("givenName", several ? "given names and more" : "given names") };
  }
  if (enough("surname")) return { kind: several ? "full-name" : "last-name", confidence: "medium", reason: reason("surname", "surnames") };
  if (share(content, "town") >= 0.2 && content.distinct >= 3) return { kind: "city", confidence: "medium", reason: reason("town", "towns") };
  return undefined;
}

/** Whether the values bear a name's claim out; undefined where there are too few to say. */
export function bearsOut(kind: DataKind, content: Content): boolean | undefined {
  const form = forms.find(([candidate]) => candidate === kind);
  if (content.distinct < 3) return undefined;
  if (kind === "phone" || kind === "identity-number" || kind === "card") return share(content, "digits") + share(content, "phone") + share(content, "card") >= 0.3;
  if (kind === "company" || kind === "address" || form === undefined) return undefined;
  if (kind === "iban" || kind === "secret") return undefined;
  return share(content, form[1]) >= 0.3;
}

/** Personal data inside longer texts: how many values hold some, in words; undefined when none was seen. */
export function personalInside(content: Content): string | undefined {
  const found = insides.filter(([detector]) => content.hits[detector] > 0);
  if (found.length === 0) return undefined;
  return found.map(([detector, called]) => `${called} in ${content.hits[detector]} of ${sampled(content)}`).join(", ");
}

/** Sentences rather than labels. */
export function isProse(content: Content): boolean {
  return share(content, "sentence") >= 0.5 || (content.averageWords >= 6 && content.distinct >= 3);
}

export function looksLike(content: Content, detector: Detector): boolean {
  return share(content, detector) >= mostly;
}
