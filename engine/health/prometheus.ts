import { z } from "zod";
import { ProbeFailure } from "./failure.ts";
import { get } from "./http.ts";
import type { PrometheusTargetsHealth } from "./spec.ts";

const targetsAnswer = z.object({
  status: z.literal("success"),
  data: z.object({
    activeTargets: z.array(
      z.object({
        labels: z.record(z.string(), z.string()),
        scrapeUrl: z.string(),
        lastError: z.string(),
        health: z.enum(["up", "down", "unknown"]),
      }),
    ),
  }),
});

export async function probePrometheusTargets(spec: PrometheusTargetsHealth, signal: AbortSignal, timeoutMs: number): Promise<string> {
  const url = `${spec.url.replace(/\/$/, "")}/api/v1/targets?state=active`;
  const { status, body } = await get(url, { signal, timeoutMs });
  if (status !== 200) throw new ProbeFailure(`GET ${url}: status ${status}`);
  const { activeTargets } = targetsAnswer.parse(JSON.parse(body)).data;
  const problems = spec.jobs.flatMap((job) => {
    const targets = activeTargets.filter((target) => target.labels["job"] === job);
    if (targets.length === 0) return [`job ${job} has no target`];
    return targets
      .filter((target) => target.health !== "up")
      .map((target) => `job ${job}, ${target.scrapeUrl}: ${target.health === "unknown" ? "not scraped yet" : target.lastError || "down"}`);
  });
  if (problems.length > 0) throw new ProbeFailure(problems.join("; "));
  return `all targets of ${spec.jobs.join(", ")} are up`;
}
