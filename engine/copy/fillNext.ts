import type { Client } from "pg";
import { referenceKey } from "./catalog.ts";
import type { Table } from "./catalog.ts";
import type { CheckResult } from "../report/check.ts";
import { withSession } from "../postgres/session.ts";
import { connectionOf } from "../staging/database.ts";
import { fitOutDatabase, logInitEvent } from "../staging/fitOut.ts";
import { claimDatabase, stagingSchemas } from "../staging/privileges.ts";
import { carryOwnRows } from "./carryOver.ts";
import { runCheck } from "./checkRun.ts";
import { createNext } from "./databases.ts";
import type { DatabaseNames } from "./databases.ts";
import { checkLargeObjects, copyLargeObjects } from "./largeObjects.ts";
import type { ObjectSum } from "./largeObjects.ts";
import { checkForLeaks } from "./leakChecks.ts";
import { collectProbes } from "./leakProbes.ts";
import type { LeakProbes } from "./leakProbes.ts";
import { sourceSessions } from "./options.ts";
import type { CopyOptions } from "./options.ts";
import type { PreparedCopy } from "./prepareCopy.ts";
import { dumpSchema } from "./schemaDump.ts";
import type { SchemaDump } from "./schemaDump.ts";
import { detachForeignTables, makePolicyRoles } from "./schemaGaps.ts";
import { cutReferences, refreshMaterializedViews, setSequences } from "./settle.ts";
import { openSource, useApplicationNames } from "./sourceSession.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { Stages } from "./stages.ts";
import { transferRows } from "./transfer.ts";
import type { TableTransfer } from "./transfer.ts";
import { verifyCopy } from "./verify.ts";

/** Indexes built at a time. */
const buildingJobs = 2;

export interface Filling {
  readonly options: CopyOptions;
  readonly prepared: PreparedCopy;
  readonly stages: Stages;
  readonly names: DatabaseNames;
  readonly maintenance: Client;
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
    const filled = await withSession(next, { applicationName: "understudy copy", signal: options.signal }, (client) =>
      finish(filling, client, dump, read),
    );
    return { ...filled, leftOut: [...filled.leftOut, ...without] };
  } finally {
    await dump.remove();
  }
}

interface Read {
  readonly transfers: ReadonlyMap<Table, TableTransfer>;
  readonly probes: LeakProbes;
  readonly objects: ObjectSum;
  readonly untouched: CheckResult;
}

async function readSource({ options, prepared, stages, names }: Filling): Promise<Read> {
  const { lead, catalog, selection, treatments, leakKey } = prepared;
  const sources: SourceSession[] = [lead];
  try {
    while (sources.length < sourceSessions) {
      const session = await openSource(options.source, { keys: prepared.keys, signal: options.signal }, prepared.snapshot);
      sources.push(session);
      await useApplicationNames(session);
    }
    const transfers = await stages.run("copy rows", () =>
      transferRows({
        sources,
        treatments,
        selection,
        staging: options.staging,
        database: names.next,
        signal: options.signal,
        serverVersion: catalog.serverVersion,
        sameMajor: Math.floor(catalog.serverVersion / 10_000) === Math.floor(prepared.targetVersion / 10_000),
        changedLater: cutColumns(prepared),
        onProgress: options.onProgress,
      }),
    );
    const probes = await stages.run("hash originals for the leak scan", () =>
      collectProbes(lead, treatments, selection, catalog.serverVersion, leakKey),
    );
    const { oids, rule } = prepared.largeObjects;
    const objects = await stages.run("copy large objects", () =>
      withSession(connectionOf(options.staging, "admin", names.next), { applicationName: "understudy copy", signal: options.signal }, (target) =>
        copyLargeObjects(lead.client, target, oids, rule),
      ),
    );
    return { transfers, probes, objects, untouched: await proveUntouched(sources) };
  } finally {
    await Promise.all(sources.map((session) => session.close()));
  }
}

function proveUntouched(sources: readonly SourceSession[]): Promise<CheckResult> {
  const definition = {
    id: "copy.source-untouched",
    title: "The source was not written to",
    remedy: "Find out what ran in these sessions: they were READ ONLY.",
  };
  return runCheck(definition, async () => {
    const proofs = await Promise.all(sources.map((session) => session.proveUntouched()));
    const proved = proofs.filter(Boolean).length;
    return {
      holds: proved === sources.length,
      evidence: `${proved} of ${sources.length} sessions were READ ONLY to the end and got no transaction id; pg_dump ran READ ONLY on their snapshot`,
    };
  });
}

async function finish({ options, prepared, stages, names }: Filling, client: Client, dump: SchemaDump, read: Read): Promise<Filled> {
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
    await client.query("ANALYZE");
  });
  const checks = await stages.run("verify", async () => [
    read.untouched,
    ...(await verifyCopy(client, { catalog, plan, treatments, transfers, changedLater: cutColumns(prepared) })),
  ]);
  checks.push(...(await checkLargeObjects(client, prepared.largeObjects.oids, read.objects, probes.index)));
  checks.push(...(await stages.run("scan for leaks", () => checkForLeaks(client, probes, options.signal))));
  return {
    transfers,
    checks,
    cut: [...cut].map(([reference, rows]) => ({ reference: referenceKey(reference), rows })),
    leftOut: [...dump.leftOut, ...unfilled.map((name) => `rows of materialized view ${name}, which reads foreign tables`)],
    probes: [...probes.probed],
    unprobed: [...probes.unprobed],
    sessions: sourceSessions,
  };
}

/** Columns whose values change after loading. */
function cutColumns({ plan }: PreparedCopy): Map<Table, Set<string>> {
  const columns = new Map<Table, Set<string>>();
  for (const { child, childColumns } of plan.cut) {
    columns.set(child, new Set([...(columns.get(child) ?? []), ...childColumns]));
  }
  return columns;
}

async function localeOf(lead: SourceSession): Promise<{ encoding: string; collate: string; ctype: string }> {
  const { rows } = await lead.client.query<{ encoding: string; collate: string; ctype: string }>(
    `SELECT pg_encoding_to_char(encoding)::text AS encoding, datcollate::text AS collate, datctype::text AS ctype
       FROM pg_database WHERE datname = current_database()`,
  );
  return rows[0] ?? { encoding: "UTF8", collate: "C", ctype: "C" };
}
