import { copyData } from "../../../engine/copy/copy.ts";
import type { CopyOptions } from "../../../engine/copy/copy.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";

/** Copies, and says when it begins to switch. */
const options = JSON.parse(process.argv[2] ?? "") as Omit<CopyOptions, "workload" | "onProgress">;
await copyData({
  ...options,
  workload: await loadWorkload("workloads/stories"),
  onProgress: ({ message }) => {
    if (message === "switch") process.stdout.write("there\n");
  },
});
