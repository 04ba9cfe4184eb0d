import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { baseSettings } from "../../components/database.ts";
import type { ConnectionSettings } from "../../engine/postgres/connection.ts";
import type { StagingDatabase } from "../../engine/staging/database.ts";
import { prepareStaging } from "../../engine/staging/prepare.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { startPostgres, withClient } from "../../test/support/postgres.ts";
import { cpuSeconds } from "../cpuSeconds.ts";
import { maskingPolicy, productionSql, subsetPolicy } from "./data.ts";

export type Variant = "unmasked" | "masked" | "subset";

/** A production and a staging server of equal settings, those of the stack's own database; what is committed is on disk. */
export interface BenchWorld {
  readonly source: ConnectionSettings;
  readonly staging: StagingDatabase;
  readonly targetAdmin: ConnectionSettings;
  /** A workload whose policies copy everything unmasked, everything masked, or ten accounts. */
  workloadFolder(variant: Variant): string;
  readonly folder: string;
  /** Processor time of both servers so far, without sessions that are open. */
  serverCpuSeconds(): Promise<number>;
  /** Both servers have written everything down and are at rest. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

const settings = { ...baseSettings, fsync: "on" };
const stories = join(import.meta.dirname, "..", "..", "workloads", "stories");

/** @param accounts rows of the big table */
export async function startBenchWorld(accounts: number): Promise<BenchWorld> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-bench-copy-"));
  const [production, target] = await Promise.all([startPostgres(settings), startPostgres(settings)]);
  const stop = async (): Promise<void> => {
    await Promise.all([production.stop("immediate"), target.stop("immediate")]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await withClient(production.admin(), async (client) => {
      await client.query("CREATE DATABASE production");
      await client.query("CREATE ROLE reader LOGIN PASSWORD 'reader-secret'; GRANT pg_read_all_data TO reader");
    });
    await withClient(production.admin("production"), async (client) => {
      await client.query(productionSql(accounts));
      await client.query("VACUUM ANALYZE");
    });
    const passwords = { admin: target.adminPassword, owner: "owner-secret", app: "app-secret", readOnly: "readonly-secret" };
    const staging: StagingDatabase = { host: target.host, port: target.port, database: "staging_db", passwords };
    await prepareStaging({ staging, workload: await loadWorkload(stories), stack: "bench" });
    for (const variant of ["unmasked", "masked", "subset"] as const) await writeWorkload(join(folder, variant), variant);
    return {
      source: { ...production.admin("production"), user: "reader", password: "reader-secret" },
      staging,
      targetAdmin: target.admin(),
      workloadFolder: (variant) => join(folder, variant),
      folder,
      serverCpuSeconds: async () => {
        const seconds = await Promise.all([production, target].map(async (server) => cpuSeconds(await postmasterOf(server.folder))));
        return seconds.reduce((sum, one) => sum + one, 0);
      },
      settle: async () => {
        for (const server of [production, target]) await withClient(server.admin(), (client) => client.query("CHECKPOINT"));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function postmasterOf(folder: string): Promise<number> {
  return Number((await readFile(join(folder, "data", "postmaster.pid"), "utf8")).split("\n", 1)[0]);
}

/** The stories workload's manifest with policies of the bench's own. */
async function writeWorkload(folder: string, variant: Variant): Promise<void> {
  const { manifest } = await loadWorkload(stories);
  await mkdir(join(folder, "staging"), { recursive: true });
  for (const file of manifest.database.staging) await copyFile(join(stories, file), join(folder, file));
  const copy = { masking: "masking.yaml", subset: "subset.yaml" };
  await writeFile(join(folder, "workload.yaml"), stringify({ ...manifest, name: "bench", copy }));
  await writeFile(join(folder, copy.masking), stringify(maskingPolicy(variant !== "unmasked")));
  await writeFile(join(folder, copy.subset), stringify(subsetPolicy(variant !== "subset")));
}
