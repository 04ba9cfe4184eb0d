import { copyData } from "../../../engine/copy/copy.ts";
import type { CopyOptions } from "../../../engine/copy/copy.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";

/** Copies, and at the stage or table named it says so: to be killed there. With `standsStill` it goes no further. */
const { options, stopAt, standsStill } = JSON.parse(process.argv[2] ?? "") as {
  options: Omit<CopyOptions, "workload" | "onProgress">;
  stopAt: string;
  standsStill: boolean;
};
await copyData({
  ...options,
  workload: await loadWorkload("workloads/stories"),
  onProgress: ({ message }) => {
    if (message !== stopAt && !message.startsWith(`${stopAt}: `)) return;
    process.stdout.write("there\n");
    if (standsStill) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
