import { silent } from "../progress.ts";
import { exitCode, UnderstudyError } from "../errors.ts";
import { databaseExists, swapDatabases, withDatabaseLock } from "../postgres/databases.ts";
import { withSession } from "../postgres/session.ts";
import type { OnProgress } from "../progress.ts";
import type { StagingDatabase } from "../staging/database.ts";
import { connectionOf, replicaConnectionsOf } from "../staging/database.ts";
import { assertStaging } from "../staging/marker.ts";
import { databaseNames } from "./databases.ts";

export interface RollbackCopyOptions {
  readonly staging: StagingDatabase;
  readonly stack: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Switches back to the database that was live before the last copy; the copy is then kept as the previous one,
 * so that a second rollback brings it back.
 * @throws UnderstudyError exit 2 when none is kept, exit 4 when the target is not staging's.
 */
export async function rollbackCopy(options: RollbackCopyOptions): Promise<{ readonly live: string; readonly previous: string }> {
  const { staging, stack, onProgress = silent, signal } = options;
  await assertStaging(connectionOf(staging, "admin"), stack, signal);
  const names = databaseNames(staging.database);
  const settings = connectionOf(staging, "admin", "postgres");
  await withSession(settings, { applicationName: "understudy copy", signal }, (maintenance) =>
    withDatabaseLock(maintenance, names.live, async () => {
      if (!(await databaseExists(maintenance, names.previous))) {
        throw new UnderstudyError(`There is no ${names.previous} to go back to.`, {
          exitCode: exitCode.usage,
          remedy: "A copy keeps one; there has been none yet.",
        });
      }
      onProgress({ step: "copy", message: `back to ${names.previous}` });
      await swapDatabases(settings, { ...names, standbys: replicaConnectionsOf(staging, "admin", "postgres") }, signal);
    }),
  );
  return { live: names.live, previous: names.previous };
}
