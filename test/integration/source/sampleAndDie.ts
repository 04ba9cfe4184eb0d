import { createSampleSource } from "../../../engine/source/sample.ts";
import type { CreateSampleSource } from "../../../engine/source/sample.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";

interface Options extends Pick<CreateSampleSource, "server" | "users" | "readerPassword"> {
  /** The progress message at which it kills itself. */
  readonly at: string;
}

const { at, ...options } = JSON.parse(process.argv[2] ?? "") as Options;
await createSampleSource({
  ...options,
  workload: await loadWorkload("workloads/stories"),
  onProgress: ({ message }) => message === at && process.kill(process.pid, "SIGKILL"),
});
