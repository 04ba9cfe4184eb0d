import type { ColumnShape, TypeFamily } from "./column.ts";

/** What a transformer's SQL is built from. Every piece is an expression over one row that is not NULL. */
export interface MaskInput {
  /** The original, as text for families `text`, else in its own type. */
  readonly value: string;
  /** Keyed SHA-256 of the value, bytea. */
  readonly hash: string;
  /** What `once` makes of the value, where it stands beside it. */
  readonly once?: string;
}

/** A transformer without options: how a mask is computed from a value and its keyed hash. */
export interface Transformer {
  readonly accepts: readonly TypeFamily[];
  /** Different values have different masks, but for a chance below one in 2^60 for each pair. */
  readonly injective: boolean;
  /** An empty string stays empty. Not so where every value must have the mask's form. */
  readonly keepsEmpty: boolean;
  /** Shortest length in which the mask still does what it should, characters; default 1. */
  readonly minLength?: number;
  /** SQL over the value that is worth computing once and not wherever the mask needs it; may be NULL. */
  once?(value: string): string;
  /** SQL of type text, or of the column's own type. Must respect `column.maxLength`. */
  sql(input: MaskInput, column: Pick<ColumnShape, "family" | "maxLength">): string;
}
