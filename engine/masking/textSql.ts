/**
 * SQL of a value as text that patterns can be held against: in the database's own collation, since one in which
 * different texts are equal knows no patterns.
 */
export function textSql(value: string): string {
  return `(${value}::text COLLATE pg_catalog."default")`;
}
