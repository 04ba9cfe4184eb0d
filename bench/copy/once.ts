import { text } from "node:stream/consumers";
import { copyData } from "../../engine/copy/copy.ts";
import type { CopyOptions } from "../../engine/copy/copy.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";

/** One copy as `understudy copy` runs it, in a process of its own. Options on standard input; what it took, as JSON, on standard output. */
const { workloadFolder, ...options } = JSON.parse(await text(process.stdin)) as Omit<CopyOptions, "workload" | "onProgress"> & { workloadFolder: string };
const { report } = await copyData({ ...options, workload: await loadWorkload(workloadFolder), onProgress: () => {} });
const failed = report.checks.filter(({ status }) => status !== "passed");
process.stdout.write(JSON.stringify({ switched: report.switched, failed, rows: report.rows, bytes: report.bytes, stages: report.stages, peakRssMb: process.resourceUsage().maxRSS / 1_024 }));
