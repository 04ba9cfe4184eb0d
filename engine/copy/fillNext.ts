import { availableParallelism } from "node:os";
import type { Client } from "pg";
import { referenceKey } from "./catalog.ts";
import type { Table } from "./catalog.ts";
import type { CheckResult } from "../report/check.ts";
import { withSession } from "../postgres/session.ts";
import { connectionOf } from "../staging/database.ts";
import { fitOutDatabase, logInitEvent } from "../staging/fitOut.ts";
import { claimDatabase, stagingSchemas } from "../staging/privileges.ts";
import { carryOwnRows } from "./carryOver.ts";
import { rowHashOf } from "./checksum.ts";
import { createNext } from "./databases.ts";
import type { DatabaseNames } from "./databases.ts";
import { checkLargeObjects } from "./largeObjects.ts";
import { checkForLeaks } from "./leakChecks.ts";
import type { LeakProbes } from "./leakProbes.ts";
import type { CopyOptions } from "./options.ts";
import type { PreparedCopy } from "./prepareCopy.ts";
import { dumpSchema } from "./schemaDump.ts";
import type { SchemaDump } from "./schemaDump.ts";
import { detachForeignTables, makePolicyRoles } from "./schemaGaps.ts";
import { cutColumns, readSource } from "./readSource.ts";
import type { SourceReading } from "./readSource.ts";
import { analyze, cutReferences, refreshMaterializedViews, setSequences } from "./settle.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { Stages } from "./stages.ts";
import { readingSessions } from "./sourceBounds.ts";
import { withTargetSessions } from "./targetSessions.ts";
import type { TableTransfer } from "./transfer.ts";
import { verifyCopy } from "./verify.ts";

/** Indexes built at a time; the target's server is on this machine. */
const buildingJobs = Math.min(4, Math.max(2, availableParallelism()));

export interface Filling {
  readonly options: CopyOptions;
  readonly prepared: PreparedCopy;
  readonly stages: Stages;
  readonly names: DatabaseNames;
  readonly maintenance: Client;
  /** Called once nothing more is read of the source. */
  leaveSource(): void;
}

export interface Filled {
  readonly transfers: ReadonlyMap<Table, TableTransfer>;
  readonly checks: CheckResult[];
  readonly cut: { reference: string; rows: number }[];
  readonly leftOut: string[];
  readonly probes: LeakProbes["probed"][number][];
  readonly unprobed: string[];
  readonly sessions: number;
}

/** Makes the next database, fills it, finishes it as staging's, and checks it. The source is let go as early as possible. */
export async function fillNext(filling: Filling): Promise<Filled> {
  const { options, prepared, stages, names, maintenance } = filling;
  const next = connectionOf(options.staging, "admin", names.next);
  const dump = await stages.run("dump the schema", () =>
    dumpSchema({
      source: options.source,
      target: next,
      snapshot: prepared.snapshot,
      serverVersion: prepared.catalog.serverVersion,
      excludedSchemas: stagingSchemas,
      signal: options.signal,
    }),
  );
  try {
    const without = await stages.run("make the tables", async () => {
      await createNext(maintenance, names, await localeOf(prepared.lead));
      const roles = await makePolicyRoles(maintenance, prepared.catalog.policyRoles);
      await withSession(next, { applicationName: "understudy copy" }, (client) => claimDatabase(client, names.next));
      await dump.restore("pre-data", next, 1);
      const detached = await withSession(next, { applicationName: "understudy copy" }, detachForeignTables);
      return [...detached, ...roles.map((name) => `login and members of role ${name}, which policies name`)];
    });
    const read = await readSource(filling);
    try {
      const filled = await withSession(next, { applicationName: "understudy copy", signal: options.signal }, (client) => finish(filling, client, dump, read));
      return { ...filled, leftOut: [...filled.leftOut, ...without] };
    } finally {
      read.probes.originals.close();
    }
  } finally {
    await dump.remove();
  }
}

async function finish({ options, prepared, stages, names }: Filling, client: Client, dump: SchemaDump, read: SourceReading): Promise<Filled> {
  const { catalog, plan, treatments } = prepared;
  const { transfers, probes } = read;
  const next = connectionOf(options.staging, "admin", names.next);
  await client.query("SET synchronous_commit = off");
  const cut = await stages.run("cut references", () => cutReferences(client, plan.cut));
  // Two jobs of pg_restore on the partitions of one table can block each other for ever.
  const jobs = catalog.tables.some((table) => table.partitioned) ? 1 : buildingJobs;
  await stages.run("build indexes and constraints", () => dump.restore("post-data", next, jobs));
  let unfilled: string[] = [];
  await stages.run("make it staging's", async () => {
    await setSequences(client, catalog.sequences);
    unfilled = await refreshMaterializedViews(client, catalog.unfilledViews);
    await fitOutDatabase(client, { workload: options.workload, stack: options.stack });
    await carryOwnRows(options.staging, client, stagingSchemas, options.signal);
    const rows = [...transfers.values()].reduce((sum, transfer) => sum + transfer.rows, 0);
    await logInitEvent(client, "copied", { stack: options.stack, workload: options.workload.manifest.name, rows, tables: transfers.size });
  });
  const checks = await withTargetSessions(next, readingSessions({}), options.signal, async (clients) => {
    await stages.run("gather statistics", () => analyze(clients));
    const copied = { catalog, plan, treatments, transfers, changedLater: cutColumns(plan), rowHash: rowHashOf(catalog.serverVersion, prepared.targetVersion) };
    const verified = await stages.run("verify", () => verifyCopy(clients, copied));
    const objects = await checkLargeObjects(client, prepared.largeObjects.oids, read.objects, probes);
    return [read.untouched, ...verified, ...objects, ...(await stages.run("scan for leaks", () => checkForLeaks(clients, probes)))];
  });
  return {
    transfers,
    checks,
    cut: [...cut].map(([reference, rows]) => ({ reference: referenceKey(reference), rows })),
    leftOut: [...dump.leftOut, ...unfilled.map((name) => `rows of materialized view ${name}, which reads foreign tables`)],
    probes: [...probes.probed],
    unprobed: [...probes.unprobed],
    sessions: read.sessions,
  };
}

async function localeOf(lead: SourceSession): Promise<{ encoding: string; collate: string; ctype: string }> {
  const { rows } = await lead.client.query<{ encoding: string; collate: string; ctype: string }>(
    `SELECT pg_encoding_to_char(encoding)::text AS encoding, datcollate::text AS collate, datctype::text AS ctype
       FROM pg_database WHERE datname = current_database()`,
  );
  return rows[0] ?? { encoding: "UTF8", collate: "C", ctype: "C" };
}
