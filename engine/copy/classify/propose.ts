import type { Column, Table } from "../catalog.ts";
import type { Content, JsonContent } from "./content.ts";
import { bearsOut, evidenceOf, isCategory, isProse, looksLike, personalInside } from "./evidence.ts";
import type { Confidence, Evidence } from "./evidence.ts";
import { isAboutPeople, kindByComment, kindByName, saysHarmless, wordsOf } from "./hints.ts";
import { dateRule, fitting, leafRule, numberRule, textRule } from "./ruleFor.ts";
import type { WrittenRule } from "./ruleFor.ts";

/** A rule for one column, with why. Holds no value of it. */
export interface Proposal {
  readonly rule: WrittenRule;
  readonly confidence: Confidence;
  readonly reason: string;
}

/** What is known of a column. */
export interface Known {
  readonly table: Table;
  readonly column: Column;
  readonly comment?: string | undefined;
  /** `Table.column` that a foreign key of it points to. */
  readonly refersTo?: string | undefined;
  /** A column of this table that says whom the row is about. */
  readonly subject?: string | undefined;
  readonly content?: Content | undefined;
  readonly json?: readonly JsonContent[] | undefined;
}

const keep = (confidence: Confidence, reason: string): Proposal => ({ rule: "keep", confidence, reason });

/** Decides how a column might be treated. Where name and values tell nothing, it is kept and said to be looked at. */
export function propose(known: Known): Proposal {
  const { table, column, refersTo } = known;
  if (refersTo !== undefined) return { rule: "follow", confidence: "high", reason: `refers to ${refersTo}` };
  const said = kindSaid(known);
  switch (column.family) {
    case "boolean":
      return keep("high", "yes or no");
    case "enum":
      return keep("high", "one of a few labels");
    case "date":
      return said?.kind === "birth-date"
        ? { rule: dateRule(table, known.subject), confidence: said.confidence, reason: said.reason }
        : keep("high", "a moment or a day");
    case "uuid":
      return said?.kind === "secret" ? { rule: "uuid", confidence: said.confidence, reason: said.reason } : keep("high", "a UUID");
    case "inet":
      return { rule: "ip", confidence: "high", reason: `of type ${column.baseType}` };
    case "number": {
      const rule = said === undefined ? undefined : numberRule(said.kind);
      return rule === undefined || said === undefined ? keep("high", "a number") : { rule, confidence: said.confidence, reason: said.reason };
    }
    case "bytea":
      if (saysHarmless(column.name)) return keep("medium", "bytes whose name says that they are nobody's");
      return { rule: column.notNull ? "hash" : "null", confidence: "medium", reason: "bytes nobody can look into" };
    case "json":
      return proposeJson(known);
    case "text":
      return proposeText(known, said);
    case "array":
      return column.elementFamily === "text" ? proposeText(known, said) : proposeElements(column);
    default:
      return proposeOther(known, said);
  }
}

/** What name and comment say. */
function kindSaid({ table, column, comment }: Known): Evidence | undefined {
  const byComment = kindByComment(comment);
  const byName = kindByName(column.name) ?? (/^(name|nome|nombre)$/.test(wordsOf(column.name)) && isAboutPeople(table.name) ? "full-name" : undefined);
  if (byName === "special-category" && !isAboutPeople(table.name)) return undefined;
  if (byName !== undefined) {
    return { kind: byName, confidence: byComment === undefined ? "medium" : "high", reason: `its name says ${called(byName)}${byComment === undefined ? "" : ", so does its comment"}` };
  }
  if (byComment === undefined) return undefined;
  return byComment === "personal"
    ? { kind: "free-text", confidence: "medium", reason: "its comment says personal data" }
    : { kind: byComment, confidence: "medium", reason: `its comment says ${called(byComment)}` };
}

const called = (kind: string): string => kind.replaceAll("-", " ");

function proposeText(known: Known, said: Evidence | undefined): Proposal {
  const { table, column, content } = known;
  const judged = judgeText(said, content, column.name);
  if (judged.kind === undefined) return { rule: judged.redact ? fitting("redact", table, column) : "keep", confidence: judged.confidence, reason: judged.reason };
  return { rule: textRule(judged.kind, table, column), confidence: judged.confidence, reason: judged.reason };
}

interface Judgement {
  readonly kind?: Evidence["kind"];
  readonly redact?: boolean;
  readonly confidence: Confidence;
  readonly reason: string;
}

/** Weighs what name and comment say against what the values say. */
function judgeText(said: Evidence | undefined, content: Content | undefined, name: string): Judgement {
  if (content === undefined || content.distinct === 0) {
    return said === undefined ? { confidence: saysHarmless(name) ? "medium" : "low", reason: "no values to look at" } : { ...said, reason: `${said.reason}; no values to look at` };
  }
  const seen = evidenceOf(content);
  if (said !== undefined && seen !== undefined) {
    if (said.kind === seen.kind) return { ...said, confidence: "high", reason: `${said.reason}; ${seen.reason}` };
    // A hash in a column "password", a full name in a column "recipient": the name knows better what it is for.
    const byValue = ["email", "iban", "card", "ip", "mac"].includes(seen.kind) && said.kind !== "secret";
    return byValue ? { ...seen, reason: `${seen.reason}; ${said.reason}` } : { ...said, reason: `${said.reason}; ${seen.reason}` };
  }
  if (seen !== undefined && !(seen.kind === "secret" && saysHarmless(name)) && !(seen.kind === "ip" && /version/i.test(name))) return seen;
  if (said !== undefined) {
    if (isCategory(content)) return { confidence: "low", reason: `${said.reason}, but ${content.distinct} values recur` };
    if (said.kind === "url" && !looksLike(content, "url")) return { confidence: "medium", reason: "its name says url, its values are none" };
    const borneOut = bearsOut(said.kind, content);
    return borneOut === false ? { ...said, confidence: "low", reason: `${said.reason}, the values do not look like it` } : said;
  }
  const inside = personalInside(content);
  if (isProse(content) && !isCategory(content) && !saysHarmless(name)) {
    return { kind: "free-text", confidence: "medium", reason: inside === undefined ? "sentences that people may have written" : `sentences; ${inside}` };
  }
  if (inside !== undefined) return { redact: true, confidence: "medium", reason: inside };
  return { confidence: "medium", reason: `nothing personal in ${content.distinct} different value(s)` };
}

function proposeElements(column: Column): Proposal {
  if (column.elementFamily === "inet") return { rule: "ip", confidence: "high", reason: `of type ${column.type}` };
  return keep("high", "a list of numbers, dates or labels");
}

/** Types no transformer treats: ranges, composites, XML, positions, word vectors. */
function proposeOther({ column, content }: Known, said: Evidence | undefined): Proposal {
  const away = (confidence: Confidence, reason: string): Proposal =>
    column.notNull ? keep("low", `${reason}; no transformer treats ${column.type}: write an expression`) : { rule: "null", confidence, reason };
  if (column.baseType === "tsvector") {
    return { rule: { mask: "expression", sql: "''::tsvector" }, confidence: "medium", reason: "the words of other columns" };
  }
  if (/^macaddr8?$/.test(column.baseType)) return { rule: { mask: "expression", sql: "trunc({value})" }, confidence: "high", reason: `of type ${column.baseType}` };
  if (said !== undefined) return away(said.confidence, said.reason);
  const seen = content === undefined ? undefined : (personalInside(content) ?? evidenceOf(content)?.reason);
  if (seen !== undefined) return away("medium", seen);
  return keep(content === undefined || content.distinct === 0 ? "low" : "medium", `of type ${column.type}${content === undefined || content.distinct === 0 ? "" : ", nothing personal seen"}`);
}

function proposeJson({ column, json = [] }: Known): Proposal {
  if (json.length === 0) {
    return { rule: { mask: "json", others: "drop", paths: {} }, confidence: "low", reason: "JSON without a key to look at: every key is dropped" };
  }
  const judged = json.map((place) => ({ place, judged: judgePlace(place, column) }));
  const personal = judged.filter(({ judged: { rule } }) => rule !== "keep");
  if (personal.length === 0) return keep("medium", `nothing personal under ${json.length} key(s)`);
  // A value without a key or list around it has no path: it becomes null.
  const paths = Object.fromEntries(judged.filter(({ place }) => place.path !== "").map(({ place, judged: { rule } }) => [place.path, rule]));
  const confidence = personal.every(({ judged: { confidence: own } }) => own === "high") ? "high" : personal.some(({ judged: { confidence: own } }) => own === "low") ? "low" : "medium";
  const reason = personal.map(({ place, judged: { reason: why } }) => `${place.path === "" ? "the value" : place.path}: ${why}`).join("; ");
  return { rule: { mask: "json", others: "drop", paths: withoutShadowed(paths) }, confidence, reason };
}

function judgePlace(place: JsonContent, column: Column): Proposal {
  const key = /"?([^".[\]]*)"?(?:\[\])*$/.exec(place.path)?.[1] ?? "";
  const kind = kindByName(key === "" ? column.name : key);
  const said: Evidence | undefined = kind === undefined ? undefined : { kind, confidence: "medium", reason: `its key says ${called(kind)}` };
  if (place.strings === 0) {
    const rule = said === undefined || place.numbers === 0 ? undefined : numberLeaf(said.kind);
    return rule === undefined || said === undefined ? keep("high", "no text") : { rule, confidence: said.confidence, reason: said.reason };
  }
  const judged = judgeText(said, place, key);
  if (judged.kind === undefined) return { rule: judged.redact === true ? "redact" : "keep", confidence: judged.confidence, reason: judged.reason };
  return { rule: leafRule(judged.kind), confidence: judged.confidence, reason: judged.reason };
}

function numberLeaf(kind: Evidence["kind"]): WrittenRule | undefined {
  if (kind === "phone" || kind === "card" || kind === "iban" || kind === "identity-number" || kind === "secret") return "null";
  return numberRule(kind);
}

/** A place that is a value here and an object there has rules of its own below: these stay. */
function withoutShadowed(paths: Readonly<Record<string, WrittenRule>>): Record<string, WrittenRule> {
  const all = Object.keys(paths);
  return Object.fromEntries(Object.entries(paths).filter(([path]) => !all.some((other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[`))));
}
