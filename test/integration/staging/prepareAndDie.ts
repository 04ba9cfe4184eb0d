import { prepareStaging } from "../../../engine/staging/prepare.ts";
import type { PrepareStaging } from "../../../engine/staging/prepare.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";

interface Options extends Pick<PrepareStaging, "staging" | "stack"> {
  /** The progress message at which it kills itself. */
  readonly at: string;
}

const { at, ...options } = JSON.parse(process.argv[2] ?? "") as Options;
await prepareStaging({
  ...options,
  workload: await loadWorkload("workloads/stories"),
  onProgress: ({ message }) => message === at && process.kill(process.pid, "SIGKILL"),
});
