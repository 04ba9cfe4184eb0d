import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backupDatabase } from "../../../engine/backup/index.ts";
import { copyData } from "../../../engine/copy/copy.ts";
import { loadIntegrityRules, runIntegrityRules } from "../../../engine/integrity/index.ts";
import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import { silent } from "../../../engine/progress.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
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
      await client.query("SELECT set_config('understudy.source_users', '600', false)");
      for (const file of [...workload.manifest.database.schema, ...workload.manifest.source.generate]) await client.query(await readFile(workload.path(file), "utf8"));
    });
  }, folder);
});
afterAll(() => world?.stop());

describe.sequential("the data of workload architect", () => {
  it("is as awkward as production: every role and state, rows of nobody, instants at the edges of partitions", async () => {
    const [counts] = await world.askSource(`SELECT
      (SELECT count(*)::int FROM users) AS users, (SELECT count(DISTINCT role_id)::int FROM users) AS roles, (SELECT count(DISTINCT status)::int FROM users) AS states,
      (SELECT count(*)::int FROM users u JOIN users v ON lower(btrim(u.email)) = lower(btrim(v.email)) AND u.id < v.id) AS doubles,
      (SELECT count(*) > 100 FROM events WHERE actor_id IS NULL) AS events_of_nobody,
      (SELECT count(*) > 0 FROM events WHERE jsonb_typeof(payload -> 'level') = 'number') AS numeric_levels,
      (SELECT count(DISTINCT tableoid)::int FROM audit_log) AS partitions,
      (SELECT count(*) > 0 FROM users WHERE invited_by = id) AS self_invited`);
    expect(counts).toEqual({ users: 600, roles: 5, states: 4, doubles: 5, events_of_nobody: true, numeric_levels: true, partitions: 3, self_invited: true });
  });

  it("comes to staging masked and whole, every table with rows", async () => {
    const { report } = await copyData(await world.options());
    expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
    expect(report.tables.filter(({ rows }) => rows === 0).map(({ table }) => table)).toEqual([]);
    const [seen] = await world.askStaging(`SELECT (SELECT count(DISTINCT role_id)::int FROM users) AS roles,
      (SELECT count(*)::int FROM webhooks WHERE url NOT LIKE 'https://staging.local/%') AS far_webhooks,
      (SELECT count(*)::int FROM integrations WHERE config ? 'host') AS hosts,
      (SELECT count(*)::int FROM users WHERE email NOT LIKE '%@staging.local') AS emails`);
    expect(seen).toEqual({ roles: 5, far_webhooks: 0, hosts: 0, emails: 0 });
  });

  it("keeps every integrity rule, and planted: two breaches are found by theirs", async () => {
    const rules = await loadIntegrityRules(workload);
    const run = () => runIntegrityRules({ connection: connectionOf(world.staging, "readOnly"), rules });
    expect((await run()).filter(({ status }) => status !== "passed").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
    await world.askStaging("UPDATE webhooks SET url = 'https://hooks.example.org/x'");
    await world.askStaging("DELETE FROM role_permissions WHERE role_id = 4");
    expect((await run()).filter(({ status }) => status !== "passed").map(({ id }) => id)).toEqual(["integrity.roles-complete", "integrity.credentials-masked"]);
    await copyData(await world.options());
  });

  it("takes its migration up, down and up again without a refusal, under traffic", async () => {
    const { file } = await backupDatabase({ staging: world.staging, stack: "test", folder: world.reports, onProgress: silent });
    const { report } = await rehearseMigrations({ staging: world.staging, workload, stack: "test", reportsFolder: world.reports, backupFile: file, targetRows: 3_600, onProgress: silent });
    expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, status, evidence }) => `${id} ${status}: ${evidence}`)).toEqual([]);
    expect(report.verdict).toBe("passed");
    expect(report.checks.length).toBeGreaterThan(40);
  });
});
