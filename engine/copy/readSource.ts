import type { CheckResult } from "../report/check.ts";
import { withSession } from "../postgres/session.ts";
import { connectionOf } from "../staging/database.ts";
import type { Table } from "./catalog.ts";
import { runCheck } from "./checkRun.ts";
import { rowHashOf } from "./checksum.ts";
import type { Filling } from "./fillNext.ts";
import { copyLargeObjects } from "./largeObjects.ts";
import type { ObjectSum } from "./largeObjects.ts";
import { collectProbes } from "./leakProbes.ts";
import type { LeakProbes } from "./leakProbes.ts";
import { RowPace } from "./rowPace.ts";
import { readingSessions } from "./sourceBounds.ts";
import { openSource, useApplicationNames } from "./sourceSession.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { SubsetPlan } from "./subsetPlan.ts";
import { sumKeptColumns, transferRows } from "./transfer.ts";
import type { TableTransfer } from "./transfer.ts";

/** All that is read of the source, once. */
export interface SourceReading {
  readonly transfers: ReadonlyMap<Table, TableTransfer>;
  readonly probes: LeakProbes;
  readonly objects: ObjectSum;
  readonly untouched: CheckResult;
  readonly sessions: number;
}

/**
 * Reads the rows into the next database, hashes their originals, and copies large objects; then lets the source go.
 * The caller closes the originals.
 */
export async function readSource({ options, prepared, stages, names, leaveSource }: Filling): Promise<SourceReading> {
  const { lead, catalog, plan, selection, treatments, leakSeed } = prepared;
  const { sourceBounds = {} } = options;
  const sources: SourceSession[] = [lead];
  try {
    while (sources.length < readingSessions(sourceBounds)) {
      const session = await openSource(options.source, { keys: prepared.keys, signal: options.signal }, prepared.snapshot);
      sources.push(session);
      await useApplicationNames(session);
    }
    const transferring = {
      sources,
      treatments,
      selection,
      staging: options.staging,
      database: names.next,
      signal: options.signal,
      serverVersion: catalog.serverVersion,
      sameMajor: Math.floor(catalog.serverVersion / 10_000) === Math.floor(prepared.targetVersion / 10_000),
      changedLater: cutColumns(plan),
      rowHash: rowHashOf(catalog.serverVersion, prepared.targetVersion),
      pace: sourceBounds.maxRowsPerSecond === undefined ? undefined : new RowPace(sourceBounds.maxRowsPerSecond),
      onProgress: options.onProgress,
    };
    const transfers = await stages.run("copy rows", () => transferRows(transferring));
    await stages.run("add up kept columns", () => sumKeptColumns(transferring, transfers));
    const probes = await stages.run("hash originals for the leak scan", () =>
      collectProbes(sources, treatments, selection, catalog.serverVersion, leakSeed, transferring.pace),
    );
    const { oids, rule } = prepared.largeObjects;
    const objects = await stages.run("copy large objects", () =>
      withSession(connectionOf(options.staging, "admin", names.next), { applicationName: "understudy copy", signal: options.signal }, (target) =>
        copyLargeObjects(lead.client, target, oids, rule),
      ),
    );
    return { transfers, probes, objects, untouched: await proveUntouched(sources), sessions: sources.length };
  } finally {
    await Promise.all(sources.map((session) => session.close()));
    leaveSource();
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

/** Columns whose values change after loading. */
export function cutColumns(plan: SubsetPlan): Map<Table, Set<string>> {
  const columns = new Map<Table, Set<string>>();
  for (const { child, childColumns } of plan.cut) {
    columns.set(child, new Set([...(columns.get(child) ?? []), ...childColumns]));
  }
  return columns;
}
