import { restoreBackup } from "../../../engine/backup/index.ts";
import type { RestoreBackup } from "../../../engine/backup/index.ts";

/** Restores, and kills itself in the middle of loading. */
const options = JSON.parse(process.argv[2] ?? "") as Pick<RestoreBackup, "staging" | "file" | "stack">;
await restoreBackup({
  ...options,
  onProgress: ({ message, done }) => {
    if (message === "loading" && done !== undefined) process.kill(process.pid, "SIGKILL");
  },
});
