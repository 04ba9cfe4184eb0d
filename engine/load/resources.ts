import type { CheckResult } from "../report/check.ts";
import type { HttpClient } from "../validation/httpClient.ts";
import { queryPrometheus } from "../validation/prometheus.ts";
import type { ResourceTarget } from "./plan.ts";
import { rounded } from "./statistics.ts";

/** What the machine had left during the run, by Prometheus. A warning: on a machine that is shared, others use it too. */
export async function resourceChecks(
  resources: readonly ResourceTarget[],
  { prometheusUrl, http, windowMs }: { readonly prometheusUrl: string | undefined; readonly http: HttpClient; readonly windowMs: number },
): Promise<CheckResult[]> {
  return Promise.all(resources.map((resource) => resourceCheck(resource, { prometheusUrl, http, window: `${Math.max(15, Math.ceil(windowMs / 1_000))}s` })));
}

async function resourceCheck(
  { name, title, query, maximum }: ResourceTarget,
  { prometheusUrl, http, window }: { readonly prometheusUrl: string | undefined; readonly http: HttpClient; readonly window: string },
): Promise<CheckResult> {
  const check = { id: `resources.${name}`, category: "resources", title, severity: "warning", durationMs: 0 } as const;
  if (prometheusUrl === undefined) {
    return { ...check, status: "skipped", evidence: "Monitoring is off on this stack.", remedy: "Switch it on in the stack's configuration to have it looked at." };
  }
  const remedy = "See the dashboards for who uses it; a machine that others use as well says little.";
  try {
    const samples = await queryPrometheus({ prometheusUrl, http, signal: AbortSignal.timeout(5_000) }, query.replaceAll("{window}", window));
    const values = samples.map(({ value: [, value] }) => Number(value)).filter((value) => !Number.isNaN(value));
    if (values.length === 0) return { ...check, status: "errored", evidence: `${query} yields nothing.`, remedy };
    const highest = Math.max(...values);
    const seen = `${rounded(highest * 100)} % over ${window}; bound ${rounded(maximum * 100)} %`;
    return highest > maximum ? { ...check, status: "failed", evidence: seen, remedy } : { ...check, status: "passed", evidence: seen };
  } catch (error) {
    return { ...check, status: "errored", evidence: error instanceof Error ? error.message : String(error), remedy };
  }
}
