/** What a column's type means to a transformer. A domain is its base type. */
export type TypeFamily =
  | "text"
  | "number"
  | "date"
  | "uuid"
  | "inet"
  | "json"
  | "bytea"
  | "enum"
  | "boolean"
  | "array"
  | "other";

/** What a transformer must know of a column. */
export interface ColumnShape {
  readonly name: string;
  /** As `format_type` writes it, schema-qualified, with its modifier. */
  readonly type: string;
  readonly family: TypeFamily;
  /** Family of an array's elements. */
  readonly elementFamily?: TypeFamily;
  /** An array's element type, as `format_type` writes it. */
  readonly elementType?: string;
  /** Name of the type itself without modifier (`int4`, `varchar`, `jsonb`); of the base type for a domain. */
  readonly baseType: string;
  /** Longest value of varchar(n) and char(n), characters. */
  readonly maxLength?: number;
  readonly notNull: boolean;
  /** Labels of an enum. */
  readonly labels?: readonly string[];
}
