import { quoteIdentifier } from "../../postgres/identifier.ts";
import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

const userSchema = (schema: string) => `${schema} !~ '^pg_' AND ${schema} <> 'information_schema'`;

interface ForeignKey {
  readonly name: string;
  readonly child: string;
  readonly parent: string;
  readonly childColumns: string[];
  readonly parentColumns: string[];
  readonly validated: boolean;
}

const foreignKeysSql = `
  SELECT c.conname AS name, c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent, c.convalidated AS validated,
         ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, i) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY i) AS "childColumns",
         ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, i) JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY i) AS "parentColumns"
    FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
   WHERE c.contype = 'f' AND c.conparentid = 0 AND ${userSchema("n.nspname")}
   ORDER BY 2, 1`;

/** Rows whose key points nowhere. MATCH SIMPLE: a key with a NULL in it points at nothing and is no orphan. */
function orphansSql({ child, parent, childColumns, parentColumns }: ForeignKey): string {
  const present = childColumns.map((column) => `c.${quoteIdentifier(column)} IS NOT NULL`);
  const matches = childColumns.map((column, index) => `p.${quoteIdentifier(parentColumns[index] ?? "")} = c.${quoteIdentifier(column)}`);
  return `SELECT count(*) FROM ${child} c WHERE ${present.join(" AND ")} AND NOT EXISTS (SELECT FROM ${parent} p WHERE ${matches.join(" AND ")})`;
}

export const foreignKeysHold: ValidationCheck = {
  id: "database.foreign-keys",
  category: "database",
  title: "Every foreign key holds",
  severity: "error",
  quick: false,
  run: async ({ session }) => {
    const { keys, problems } = await session("readOnly", async (client) => {
      const keys = (await client.query<ForeignKey>(foreignKeysSql)).rows;
      const problems: string[] = [];
      for (const key of keys) {
        const orphans = Number((await client.query<{ count: string }>(orphansSql(key))).rows[0]?.count);
        if (orphans > 0) problems.push(`${orphans} rows of ${key.child} point to no row of ${key.parent} (${key.name})`);
        if (!key.validated) problems.push(`${key.name} on ${key.child} is NOT VALID`);
      }
      return { keys, problems };
    });
    return verdict(problems, {
      count: keys.length,
      evidence: `${keys.length} foreign keys: no orphan, every one validated`,
      remedy: "Remove or repair the orphans, then ALTER TABLE … VALIDATE CONSTRAINT; a fresh `understudy copy` does both.",
    });
  },
};

export const indexesValid: ValidationCheck = {
  id: "database.indexes",
  category: "database",
  title: "Every index is valid",
  severity: "error",
  quick: false,
  run: async ({ session }) => {
    const { rows } = await session("readOnly", (client) =>
      client.query<{ name: string; table: string; usable: boolean }>(
        `SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS table, i.indisvalid AND i.indisready AND i.indislive AS usable
           FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE ${userSchema("n.nspname")}`,
      ),
    );
    const problems = rows.filter(({ usable }) => !usable).map(({ name, table }) => `${name} on ${table} is invalid`);
    return verdict(problems, { count: rows.length, evidence: `${rows.length} indexes, all usable`, remedy: "REINDEX INDEX CONCURRENTLY it, or drop and build it again." });
  },
};

export const triggersEnabled: ValidationCheck = {
  id: "database.triggers",
  category: "database",
  title: "No trigger is switched off",
  severity: "error",
  quick: false,
  run: async ({ session }) => {
    const { rows } = await session("readOnly", (client) =>
      client.query<{ name: string; table: string; enabled: string }>(
        `SELECT t.tgname::text AS name, t.tgrelid::regclass::text AS table, t.tgenabled AS enabled
           FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE ${userSchema("n.nspname")}`,
      ),
    );
    const problems = rows.filter(({ enabled }) => enabled === "D").map(({ name, table }) => `${name} on ${table} is disabled`);
    return verdict(problems, {
      count: Math.max(rows.length, 1),
      evidence: `${rows.length} triggers, those behind foreign keys included, none disabled`,
      remedy: "ALTER TABLE … ENABLE TRIGGER ALL.",
    });
  },
};

const sequencesSql = `
  SELECT s.seqrelid::regclass::text AS sequence, d.refobjid::regclass::text AS table, a.attname::text AS column, s.seqincrement > 0 AS rising
    FROM pg_sequence s
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${userSchema("n.nspname")}`;

export const sequencesAhead: ValidationCheck = {
  id: "database.sequences",
  category: "database",
  title: "Every sequence is ahead of its column",
  severity: "error",
  quick: false,
  run: async ({ session }) => {
    const { sequences, problems } = await session("readOnly", async (client) => {
      const sequences = (await client.query<{ sequence: string; table: string; column: string; rising: boolean }>(sequencesSql)).rows;
      const problems: string[] = [];
      for (const { sequence, table, column, rising } of sequences) {
        const { rows } = await client.query<{ behind: boolean }>(
          `SELECT coalesce(${rising ? "max" : "min"}(t.${quoteIdentifier(column)})::numeric ${rising ? ">=" : "<="}
                  (SELECT last_value + CASE WHEN is_called THEN ${rising ? 1 : -1} ELSE 0 END FROM ${sequence}), false) AS behind FROM ${table} t`,
        );
        if (rows[0]?.behind === true) problems.push(`${sequence} would hand out a value that ${table}.${column} has already`);
      }
      return { sequences, problems };
    });
    return verdict(problems, {
      count: Math.max(sequences.length, 1),
      evidence: `${sequences.length} sequences, each ahead of what is there`,
      remedy: "SELECT setval(sequence, max(column)) for it; `understudy copy` does so.",
    });
  },
};
