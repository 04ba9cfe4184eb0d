import { z } from "zod";
import type { CheckContext } from "./check.ts";
import { jsonOf, type HttpClient } from "./httpClient.ts";
import { skipped, type Outcome } from "./outcome.ts";

const envelope = <Data extends z.ZodType>(data: Data) => z.object({ status: z.literal("success"), data });

const targets = envelope(
  z.object({
    activeTargets: z.array(
      z.object({ labels: z.object({ job: z.string() }), scrapeUrl: z.string(), health: z.string(), lastError: z.string() }),
    ),
  }),
);
const rules = envelope(
  z.object({
    groups: z.array(
      z.object({ rules: z.array(z.object({ name: z.string(), type: z.string(), health: z.string(), lastError: z.string().optional(), state: z.string().optional() })) }),
    ),
  }),
);
const vector = envelope(
  z.object({ resultType: z.literal("vector"), result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })) }),
);
const alertmanagers = envelope(z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) }));

export type PrometheusTarget = z.infer<typeof targets>["data"]["activeTargets"][number];
export type PrometheusRule = z.infer<typeof rules>["data"]["groups"][number]["rules"][number];
export type PrometheusSample = z.infer<typeof vector>["data"]["result"][number];

/** What a check says when the stack has no monitoring. */
export function monitoringOff({ target }: CheckContext): Outcome | undefined {
  if (target.prometheusUrl !== undefined) return undefined;
  return skipped("monitoring is off on this stack", "Switch it on in the stack's configuration to have it looked at.");
}

/** Where and how Prometheus is asked. */
export interface PrometheusAccess {
  readonly prometheusUrl: string | undefined;
  readonly http: HttpClient;
  readonly signal: AbortSignal;
}

async function ask<Schema extends z.ZodType>({ prometheusUrl, http, signal }: PrometheusAccess, path: string, schema: Schema): Promise<z.infer<Schema>> {
  const answer = await http.send(new URL(path, prometheusUrl).href, { signal });
  if (answer.status !== 200) throw new Error(`Prometheus answered ${answer.status} to ${path}`);
  return schema.parse(jsonOf(answer));
}

function accessOf({ target, http, signal }: CheckContext): PrometheusAccess {
  return { prometheusUrl: target.prometheusUrl, http, signal };
}

export async function prometheusTargets(context: CheckContext): Promise<PrometheusTarget[]> {
  return (await ask(accessOf(context), "/api/v1/targets?state=active", targets)).data.activeTargets;
}

export async function prometheusRules(context: CheckContext): Promise<PrometheusRule[]> {
  return (await ask(accessOf(context), "/api/v1/rules", rules)).data.groups.flatMap((group) => group.rules);
}

export async function prometheusQuery(context: CheckContext, query: string): Promise<PrometheusSample[]> {
  return queryPrometheus(accessOf(context), query);
}

/** The samples of an instant query that yields a vector. */
export async function queryPrometheus(access: PrometheusAccess, query: string): Promise<PrometheusSample[]> {
  return (await ask(access, `/api/v1/query?query=${encodeURIComponent(query)}`, vector)).data.result;
}

export async function prometheusAlertmanagers(context: CheckContext): Promise<string[]> {
  return (await ask(accessOf(context), "/api/v1/alertmanagers", alertmanagers)).data.activeAlertmanagers.map(({ url }) => url);
}
