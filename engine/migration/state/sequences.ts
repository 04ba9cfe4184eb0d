import type { Client } from "pg";

export interface SequenceState {
  readonly name: string;
  /** Undefined while it has never been asked. */
  readonly lastValue: bigint | undefined;
  readonly increment: bigint;
  /** The column that it fills, and the value farthest along there; undefined for a sequence on its own. */
  readonly column: string | undefined;
  readonly farthest: bigint | undefined;
}

const sequencesSql = `
  SELECT format('%I.%I', s.schemaname, s.sequencename) AS name, s.last_value::text AS "lastValue", s.increment_by::text AS increment,
         o.tab, o.col
    FROM pg_sequences s
    LEFT JOIN LATERAL (
      SELECT d.refobjid::regclass::text AS tab, a.attname::text AS col
        FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
       WHERE d.classid = 'pg_class'::regclass AND d.objid = format('%I.%I', s.schemaname, s.sequencename)::regclass
         AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') LIMIT 1) o ON true
   WHERE s.schemaname !~ '^pg_' AND s.schemaname <> 'information_schema' ORDER BY 1`;

interface SequenceRow {
  readonly name: string;
  readonly lastValue: string | null;
  readonly increment: string;
  readonly tab: string | null;
  readonly col: string | null;
}

/** Where every sequence stands, and the farthest value of the column that it fills. */
export async function readSequences(client: Client): Promise<SequenceState[]> {
  const { rows } = await client.query<SequenceRow>(sequencesSql);
  const states: SequenceState[] = [];
  for (const row of rows) {
    const increment = BigInt(row.increment);
    const owned = row.tab !== null && row.col !== null;
    const quoted = `"${(row.col ?? "").replaceAll('"', '""')}"`;
    const farthest = owned
      ? await client.query<{ value: string | null }>(`SELECT ${increment > 0n ? "max" : "min"}(${quoted})::text AS value FROM ${row.tab}`)
      : undefined;
    const value = farthest?.rows[0]?.value;
    states.push({
      name: row.name,
      lastValue: row.lastValue === null ? undefined : BigInt(row.lastValue),
      increment,
      column: owned ? `${row.tab}.${row.col}` : undefined,
      farthest: value === null || value === undefined || !/^-?\d+$/.test(value) ? undefined : BigInt(value),
    });
  }
  return states;
}

/** Sequences that went back, or that stand behind the column they fill although they did not before. */
export function sequenceFaults(before: readonly SequenceState[], after: readonly SequenceState[]): string[] {
  return after.flatMap((now) => {
    const then = before.find(({ name }) => name === now.name);
    const sign = now.increment > 0n ? 1n : -1n;
    if (then?.lastValue !== undefined && (now.lastValue === undefined || (now.lastValue - then.lastValue) * sign < 0n)) {
      return [`${now.name} went back from ${then.lastValue} to ${now.lastValue ?? "its start"}`];
    }
    return isBehind(now) && (then === undefined || !isBehind(then))
      ? [`${now.name} stands at ${now.lastValue ?? "its start"}, ${now.column} holds ${now.farthest}: the next insert collides`]
      : [];
  });
}

function isBehind({ lastValue, farthest, increment }: SequenceState): boolean {
  if (farthest === undefined) return false;
  if (lastValue === undefined) return true;
  return increment > 0n ? lastValue < farthest : lastValue > farthest;
}
