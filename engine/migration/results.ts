import { withSession } from "../postgres/session.ts";
import type { CheckResult } from "../report/check.ts";
import { connectionOf } from "../staging/database.ts";
import type { StagingDatabase } from "../staging/database.ts";
import { fullName } from "./state/tables.ts";

/**
 * Adds one row per check to the results table on staging: all or none. The only thing a rehearsal writes there.
 * @param runId UUID of this rehearsal
 */
export async function recordResults(staging: StagingDatabase, table: string, runId: string, checks: readonly CheckResult[]): Promise<void> {
  const session = { applicationName: "understudy rehearsal", statementTimeoutMs: 30_000 };
  const rows = checks.map(({ id, category, severity, status, evidence, durationMs }) => ({ id, category, severity, status, evidence, durationMs }));
  await withSession(connectionOf(staging, "owner"), session, (client) =>
    client.query(
      `INSERT INTO ${fullName(table)} (run_id, check_id, category, severity, status, evidence, duration_ms)
       SELECT $1, r.id, r.category, r.severity, r.status, r.evidence, r."durationMs"
         FROM json_to_recordset($2) AS r(id text, category text, severity text, status text, evidence text, "durationMs" double precision)`,
      [runId, JSON.stringify(rows)],
    ),
  );
}
