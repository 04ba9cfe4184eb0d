import { exitCode, UnderstudyError } from "../../errors.ts";
import { listBackups, verifyBackup } from "../../backup/index.ts";
import type { ValidationCheck } from "../check.ts";
import { failed, verdict } from "../outcome.ts";

const remedy = "See understudy logs scheduled-backup; make one now with understudy backup.";

export const scheduledBackupFresh: ValidationCheck = {
  id: "infrastructure.scheduled-backup",
  category: "infrastructure",
  title: "The scheduled backup is on time, and whole",
  severity: "error",
  quick: false,
  eventualMs: 5_000,
  run: async ({ target, http, signal }) => {
    const { scheduledBackup, stack } = target;
    if (scheduledBackup === undefined) throw new Error("this stack backs nothing up on a schedule");
    const { folder, healthUrl, everyHours } = scheduledBackup;
    const [newest] = await listBackups(folder, stack);
    if (newest === undefined) return failed("there is no scheduled backup", remedy);
    const ageHours = (Date.now() - newest.at.getTime()) / 3_600_000;
    const health = await http.send(healthUrl, { signal });
    const damage = await verifyBackup(newest.file, { signal }).then(
      () => undefined,
      (error: unknown) => (error instanceof UnderstudyError && error.exitCode === exitCode.checkFailed ? error.message : Promise.reject(error)),
    );
    const problems = [
      ...(damage === undefined ? [] : [damage]),
      ...(ageHours <= 1.5 * everyHours ? [] : [`the newest is ${ageHours.toFixed(1)} hours old, and one is due every ${everyHours}`]),
      ...(health.status === 200 ? [] : [`its service answers ${health.status}: ${health.body.slice(0, 200)}`]),
    ];
    return verdict(problems, { count: 1, evidence: `the newest is ${Math.round(ageHours * 60)} min old and whole; one is due every ${everyHours} h`, remedy });
  },
};
