import { backupDatabase } from "../../../engine/backup/index.ts";
import type { BackupDatabase } from "../../../engine/backup/index.ts";

/** Starts a backup, says so once bytes are in the file, and keeps its process busy for ever: to be killed in the middle. */
const options = JSON.parse(process.argv[2] ?? "") as Pick<BackupDatabase, "staging" | "folder" | "stack">;
await backupDatabase({
  ...options,
  onProgress: ({ done }) => {
    if (done === undefined) return;
    process.stdout.write("writing\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
