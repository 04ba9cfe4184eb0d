import { backupDatabase } from "../../../engine/backup/index.ts";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyData } from "../../../engine/copy/copy.ts";
import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import { silent } from "../../../engine/progress.ts";
import { loadWorkload, type Workload } from "../../../engine/workload/manifest.ts";
import { startCopyWorld, type CopyWorld } from "../../support/copyWorld.ts";
import { withClient } from "../../support/postgres.ts";

const folder = "workloads/architect";
let world: CopyWorld;
let workload: Workload;

beforeAll(async () => {
  workload = await loadWorkload(folder);
  world = await startCopyWorld(async (settings) => {
    await withClient(settings, async (client) => {
      await client.query("SELECT set_config('understudy.source_users', '400', false)");
      for (const file of [...workload.manifest.database.schema, ...workload.manifest.source.generate]) await client.query(await readFile(workload.path(file), "utf8"));
    });
  }, folder);
});
afterAll(() => world?.stop());

describe.sequential("the data of workload architect", () => {
  test("is copied masked and whole", async () => {
    const { report } = await copyData(await world.options());
    expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
    console.log(JSON.stringify(report).slice(0, 3000));
  });
  test("rehearse", async () => {
    const { file } = await backupDatabase({ staging: world.staging, stack: "test", folder: world.reports, onProgress: silent });
    const { report } = await rehearseMigrations({ staging: world.staging, workload, stack: "test", reportsFolder: world.reports, backupFile: file, targetRows: 2_400, onProgress: silent });
    expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, status, evidence }) => `${id} ${status}: ${evidence}`)).toEqual([]);
  });
});
