import { z } from "zod";

const domain = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,30}$/, { error: "must be lower case letters, digits and _" })
  .optional()
  .describe("Values masked under one domain agree with each other; default: the transformer's own.");

/** Transformers that need nothing but the value. */
export const plainMasks = [
  "email",
  "first-name",
  "last-name",
  "full-name",
  "phone",
  "address",
  "city",
  "company",
  "url",
  "ip",
  "uuid",
  "token",
  "card",
  "text",
  "redact",
  "hash",
] as const;
export type PlainMask = (typeof plainMasks)[number];

const plainRule = z.strictObject({ mask: z.enum(plainMasks), domain });

const dateShiftRule = z.strictObject({
  mask: z.literal("date-shift"),
  /** Column of the same table whose value decides the shift, so that one subject's intervals stay; default the value itself. */
  subject: z.string().min(1).optional(),
  /** The longest shift into the past, days. */
  days: z.int().min(1).max(3_650).default(30),
  domain,
});

const numberRule = z
  .strictObject({
    mask: z.literal("number"),
    /** Keyed noise of at most this share of the value, percent. */
    noisePercent: z.number().positive().max(100).optional(),
    /** Rounded down to a multiple of this. */
    bucket: z.number().positive().optional(),
    domain,
  })
  .refine((rule) => (rule.noisePercent === undefined) !== (rule.bucket === undefined), {
    error: "needs either noisePercent or bucket",
  });

const constantRule = z.strictObject({ mask: z.literal("constant"), value: z.union([z.string(), z.number(), z.boolean()]) });

const expressionRule = z.strictObject({
  mask: z.literal("expression"),
  /** SQL over the table's columns; `{value}` is the column, `{hash}` its keyed hash in hexadecimal. */
  sql: z.string().min(1),
  domain,
});

const leafRule = z.union([z.literal("keep"), z.literal("null"), z.enum(plainMasks), plainRule, numberRule, constantRule]);
export type JsonLeafRule = z.infer<typeof leafRule>;

const jsonRule = z.strictObject({
  mask: z.literal("json"),
  /** `locale`, `address.street`, `contacts[].email`; a key with a dot or bracket in double quotes. */
  paths: z.record(z.string().min(1), leafRule).default({}),
  /** What becomes of keys no path names. */
  others: z.enum(["drop", "keep"]).default("drop"),
});

const variants = {
  keep: z.strictObject({ mask: z.literal("keep") }),
  null: z.strictObject({ mask: z.literal("null") }),
  follow: z.strictObject({ mask: z.literal("follow") }),
  "date-shift": dateShiftRule,
  number: numberRule,
  constant: constantRule,
  expression: expressionRule,
  json: jsonRule,
} as const;

/** Every name that may stand after `mask:`. */
export const maskNames: readonly string[] = [...Object.keys(variants), ...plainMasks];

const longForm = z.discriminatedUnion(
  "mask",
  [
    variants.keep,
    variants.null,
    variants.follow,
    plainRule,
    dateShiftRule,
    numberRule,
    constantRule,
    expressionRule,
    jsonRule,
  ],
  { error: `must be one of ${maskNames.join(", ")}` },
);

/**
 * How one column is treated: `keep`, `null`, `follow` (as the column its foreign key points to), or a transformer,
 * as its bare name or, with options, as `{ mask: name, ... }`.
 */
export const columnRule = z.preprocess((input) => {
  if (input === null) return { mask: "null" };
  return typeof input === "string" ? { mask: input } : input;
}, longForm);
export type ColumnRule = z.infer<typeof columnRule>;

export type MaskName = ColumnRule["mask"];

/** The domain a rule's values are hashed under. */
export function domainOf(rule: { readonly mask: string; readonly domain?: string | undefined }): string {
  return rule.domain ?? rule.mask.replaceAll("-", "_");
}
