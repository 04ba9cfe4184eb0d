import type { Client } from "pg";
import { qualified } from "../postgres/foreignKeys.ts";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { counted, nameSome } from "./finding.ts";
import type { Finding } from "./finding.ts";

interface OwnedSequence {
  readonly sequenceSchema: string;
  readonly sequence: string;
  readonly increment: string;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

/** Sequences of identity and serial columns, and of columns whose default calls nextval. */
const ownedSequencesSql = `
  SELECT DISTINCT sn.nspname::text AS "sequenceSchema", s.relname::text AS sequence, q.seqincrement AS increment,
         n.nspname::text AS schema, c.relname::text AS "table", a.attname::text AS "column"
    FROM (SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS number
            FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
           UNION
          SELECT d.refobjid, f.adrelid, f.adnum
            FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
           WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass) AS owned
    JOIN pg_class s ON s.oid = owned.sequence AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
    JOIN pg_sequence q ON q.seqrelid = s.oid
    JOIN pg_class c ON c.oid = owned.relation AND c.relkind IN ('r', 'p') JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = owned.number AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
   WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   ORDER BY 1, 2, 4, 5, 6`;

/** Finds sequences whose next value is already taken, or was passed over by rows written with values of their own. */
export async function lookAtSequences(client: Client): Promise<Finding> {
  const { rows: sequences } = await client.query<OwnedSequence>(ownedSequencesSql);
  if (sequences.length === 0) return { status: "skipped", evidence: "There is no sequence of a column." };
  const behind: string[] = [];
  for (const owned of sequences) {
    const { sequenceSchema, sequence, increment, schema, table, column } = owned;
    const rising = BigInt(increment) > 0n;
    const { rows } = await client.query<{ next: string; furthest: string | null }>(
      `SELECT (SELECT last_value + CASE WHEN is_called THEN ${increment} ELSE 0 END FROM ${qualified(sequenceSchema, sequence)}) AS next,
              (SELECT ${rising ? "max" : "min"}(${quoteIdentifier(column)}) FROM ${qualified(schema, table)}) AS furthest`,
    );
    const { next = "0", furthest = null } = rows[0] ?? {};
    if (furthest === null) continue;
    const isBehind = rising ? BigInt(next) <= BigInt(furthest) : BigInt(next) >= BigInt(furthest);
    if (isBehind) behind.push(`${qualified(sequenceSchema, sequence)} would give ${next}, ${qualified(schema, table)}.${quoteIdentifier(column)} is at ${furthest}`);
  }
  if (behind.length > 0) return { status: "failed", evidence: `${nameSome(behind)}.`, details: { behind } };
  return { status: "passed", evidence: `${counted(sequences.length, "sequence")}, all ahead.` };
}
