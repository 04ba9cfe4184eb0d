export { backupDatabase } from "./backup.ts";
export type { Backup, BackupDatabase } from "./backup.ts";
export { listBackups, pruneBackups } from "./prune.ts";
export type { FoundBackup, PruneBackups, PrunedBackups } from "./prune.ts";
export { loadBackup, restoreBackup } from "./restore.ts";
export type { RestoreBackup, RestoredBackup } from "./restore.ts";
export { verifyBackup } from "./verify.ts";
export type { VerifiedBackup } from "./verify.ts";
