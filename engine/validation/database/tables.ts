import { quoteIdentifier } from "../../postgres/identifier.ts";
import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

/** `schema.table`, or a table of `public`, each part quoted. */
export function quoteTable(table: string): string {
  const dot = table.indexOf(".");
  const [schema, name] = dot < 0 ? ["public", table] : [table.slice(0, dot), table.slice(dot + 1)];
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

export const tablesFilled: ValidationCheck = {
  id: "database.tables",
  category: "database",
  title: "Every table is there, with the rows it needs",
  severity: "error",
  quick: true,
  run: async ({ requirements, session }) => {
    const { tables } = requirements.database;
    const seen = await session("readOnly", async (client) => {
      const rows = [];
      for (const { table, minimumRows } of tables) {
        const quoted = quoteTable(table);
        const there = await client.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [quoted]);
        const counted = there.rows[0]?.there === true ? await client.query<{ count: string }>(`SELECT count(*) FROM ${quoted}`) : undefined;
        rows.push({ table, minimumRows, rows: counted === undefined ? null : Number(counted.rows[0]?.count) });
      }
      return rows;
    });
    const problems = seen.flatMap(({ table, minimumRows, rows }) => {
      if (rows === null) return [`${table} is not there`];
      return rows < minimumRows ? [`${table} has ${rows} rows, fewer than ${minimumRows}`] : [];
    });
    return verdict(problems, {
      count: seen.length,
      evidence: seen.map(({ table, rows }) => `${table} ${rows}`).join(", "),
      remedy: "Copy production's data again: `understudy copy`.",
      details: { tables: seen },
    });
  },
};
