import { createHash } from "node:crypto";
import type { Client } from "pg";
import type { LargeObjectRule } from "../masking/policy.ts";
import { rowAlias } from "../masking/compile.ts";
import { exitCode, UnderstudyError } from "../errors.ts";
import { quoteIdentifier } from "../postgres/identifier.ts";
import type { CheckResult } from "../report/check.ts";
import { stagingRoles } from "../staging/database.ts";
import { runCheck } from "./checkRun.ts";
import type { LeakProbes } from "./leakProbes.ts";
import { LeakSearch } from "./leakSearch.ts";
import { rangeSql } from "./maskedRows.ts";
import { rangesOf } from "./ranges.ts";
import type { Selection } from "./selection.ts";
import { sourceFault } from "./sourceFault.ts";
import type { TableTreatment } from "./treatments.ts";

/** Read at a time: sixteen objects, of each a quarter of a mebibyte. */
const objectsAtATime = 16;
const chunkBytes = 262_144;
/** What a word that is cut by two chunks may need of the one before. */
const overlapBytes = 512;

/** What large objects hold, the same in whatever order they are read. */
export interface ObjectSum {
  readonly objects: number;
  readonly bytes: number;
  readonly sum: bigint;
}

interface Chunk {
  readonly oid: number;
  readonly offset: number;
  readonly content: Buffer;
}

/**
 * The large objects that go to staging, by number: those that copied rows refer to from columns of type oid; all of them,
 * referred to or not, when every table is copied whole. Their rule is not asked.
 */
export async function chooseLargeObjects(client: Client, treatments: readonly TableTreatment[], selection: Selection, serverVersion: number): Promise<number[]> {
  const copied = treatments.filter(({ leftOut }) => !leftOut);
  const isWhole = copied.length === treatments.length && copied.every(({ table }) => table.leaves.every((leaf) => selection.get(leaf.oid) === "all"));
  const present = "SELECT oid FROM pg_largeobject_metadata";
  const selects = copied.flatMap(({ table, columns }) =>
    columns
      .filter(({ column, mask }) => column.baseType === "oid" && mask.keeps)
      .flatMap(({ column }) => rangesOf(table, selection, serverVersion).map((range) => `SELECT ${rowAlias}.${quoteIdentifier(column.name)} AS oid FROM ${rangeSql(range)}`)),
  );
  const sql = isWhole ? present : selects.length === 0 ? undefined : `(${selects.join(" UNION ALL ")}) INTERSECT ${present}`;
  if (sql === undefined) return [];
  const { rows } = await client.query<{ oid: number }>(`SELECT oid::int8::float8 AS oid FROM (${sql}) AS chosen(oid) ORDER BY 1`).catch((cause: unknown) => {
    throw sourceFault(cause, "choosing large objects");
  });
  return rows.map(({ oid }) => oid);
}

/**
 * Makes the objects on the target under their numbers, with what they hold where the rule is `keep`, as staging's own.
 * @returns what was read in the source
 * @throws UnderstudyError (exit 2) when the source's role may not read one.
 */
export async function copyLargeObjects(source: Client, target: Client, oids: readonly number[], rule: LargeObjectRule): Promise<ObjectSum> {
  const { app, owner, readOnly } = stagingRoles;
  const total = new SumOfObjects();
  for (let start = 0; start < oids.length; start += objectsAtATime) {
    const batch = oids.slice(start, start + objectsAtATime);
    await target.query("BEGIN");
    await target.query("SELECT lo_create(oid) FROM unnest($1::oid[]) AS oid", [batch]);
    for await (const chunk of rule === "keep" ? chunksOf(source, batch) : emptyChunks(batch)) {
      total.add(chunk);
      if (chunk.content.length > 0) await target.query("SELECT lo_put($1::oid, $2::bigint, $3)", [chunk.oid, chunk.offset, chunk.content]);
    }
    await target.query(batch.map((oid) => `ALTER LARGE OBJECT ${oid} OWNER TO ${owner}; GRANT SELECT, UPDATE ON LARGE OBJECT ${oid} TO ${app}; GRANT SELECT ON LARGE OBJECT ${oid} TO ${readOnly}`).join("; "));
    await target.query("COMMIT");
  }
  return total.result();
}

/** Reads the objects back from the target: the same bytes, and nothing in them that should have stayed in production. */
export async function checkLargeObjects(target: Client, oids: readonly number[], sent: ObjectSum, probes: LeakProbes): Promise<CheckResult[]> {
  if (oids.length === 0) return [];
  const search = new LeakSearch(probes);
  const place = search.addPlace("large objects");
  const arrived = await runCheck(
    { id: "copy.large-objects", title: "Every large object arrived as it was", remedy: "Run the copy again; if it stays, the target's disk or memory is at fault." },
    async () => {
      const total = new SumOfObjects();
      let before = { oid: 0, end: Buffer.alloc(0) };
      for (let start = 0; start < oids.length; start += objectsAtATime) {
        for await (const chunk of chunksOf(target, oids.slice(start, start + objectsAtATime))) {
          total.add(chunk);
          const text = Buffer.concat([...(before.oid === chunk.oid ? [before.end] : []), chunk.content]);
          before = { oid: chunk.oid, end: Buffer.from(text.subarray(-overlapBytes)) };
          search.read(place, text, 0, text.length, "plain");
        }
      }
      const there = total.result();
      const holds = there.objects === sent.objects && there.bytes === sent.bytes && there.sum === sent.sum;
      return { holds, evidence: `${there.objects} of ${sent.objects} large objects, ${there.bytes} of ${sent.bytes} bytes${holds ? "" : "; their contents differ"}` };
    },
  );
  const clean = await runCheck(
    { id: "copy.large-objects-leaks", title: "No original is in a large object", remedy: "Set largeObjects to empty or leaveOut in masking.yaml." },
    () => {
      const { leaks } = search.originals();
      const origins = [...new Set(leaks.map(({ origin }) => origin))].join(", ") || "no column";
      const emails = search.emails().reduce((sum, { rows }) => sum + rows, 0);
      return Promise.resolve({
        holds: arrived.status !== "errored" && leaks.length === 0 && emails === 0,
        evidence: `originals of ${origins}, ${emails} email address(es) in ${oids.length} large objects`,
      });
    },
  );
  return [arrived, clean];
}

/** Large objects one after the other within a batch, each in chunks; an empty one gives one empty chunk. */
async function* chunksOf(client: Client, batch: readonly number[]): AsyncGenerator<Chunk> {
  let firsts: readonly { oid: number; content: Buffer }[];
  try {
    firsts = (await client.query<{ oid: number; content: Buffer }>("SELECT oid::int8::float8 AS oid, lo_get(oid, 0, $2) AS content FROM unnest($1::oid[]) AS oid", [batch, chunkBytes])).rows;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "42501")) throw sourceFault(cause, "reading large objects");
    throw new UnderstudyError("The source's role may not read all large objects.", {
      exitCode: exitCode.usage,
      remedy: "GRANT SELECT ON LARGE OBJECT … to it, or set largeObjects to empty or leaveOut in masking.yaml.",
      cause,
    });
  }
  for (const { oid, content } of firsts) {
    yield { oid, offset: 0, content };
    for (let length = content.length, offset = chunkBytes; length === chunkBytes; offset += chunkBytes) {
      const { rows } = await client.query<{ content: Buffer }>("SELECT lo_get($1::oid, $2::bigint, $3) AS content", [oid, offset, chunkBytes]);
      const next = rows[0]?.content ?? Buffer.alloc(0);
      if (next.length > 0) yield { oid, offset, content: next };
      length = next.length;
    }
  }
}

async function* emptyChunks(batch: readonly number[]): AsyncGenerator<Chunk> {
  for (const oid of batch) yield { oid, offset: 0, content: Buffer.alloc(0) };
}

class SumOfObjects {
  #objects = 0;
  #bytes = 0;
  #sum = 0n;

  add({ oid, offset, content }: Chunk): void {
    if (offset === 0) this.#objects += 1;
    this.#bytes += content.length;
    this.#sum += createHash("sha256").update(`${oid} ${offset} `).update(content).digest().readBigUInt64BE();
  }

  result(): ObjectSum {
    return { objects: this.#objects, bytes: this.#bytes, sum: this.#sum };
  }
}
