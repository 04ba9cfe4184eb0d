import { readFile } from "node:fs/promises";
import { z } from "zod";
import { parseDocument } from "../../workload/manifest.ts";
import { at } from "../jsonExpectation.ts";
import type { ValidationCheck } from "../check.ts";
import { jsonOf } from "../httpClient.ts";
import { failed, passed, skipped, verdict } from "../outcome.ts";
import { monitoringOff, prometheusAlertmanagers, prometheusRules, prometheusTargets } from "../prometheus.ts";

const sinceStartMs = 10_000;

export const prometheusTargetsUp: ValidationCheck = {
  id: "infrastructure.prometheus-targets",
  category: "infrastructure",
  title: "Prometheus scrapes every target",
  severity: "error",
  quick: false,
  eventualMs: sinceStartMs,
  run: async (context) => {
    const off = monitoringOff(context);
    if (off !== undefined) return off;
    const targets = await prometheusTargets(context);
    const jobs = new Set(targets.map(({ labels }) => labels.job));
    const problems = [
      ...context.requirements.monitoring.jobs.filter((job) => !jobs.has(job)).map((job) => `there is no target of job ${job}`),
      ...targets.filter(({ health }) => health !== "up").map(({ labels, scrapeUrl, health, lastError }) => `${labels.job} (${scrapeUrl}) is ${health}${lastError === "" ? "" : `: ${lastError}`}`),
    ];
    return verdict(problems, {
      count: targets.length,
      evidence: `${targets.length} targets up, of jobs ${[...jobs].sort().join(", ")}`,
      remedy: "See the target's own log, and /targets of Prometheus.",
    });
  },
};

const ruleFile = z.object({
  groups: z.array(z.object({ rules: z.array(z.union([z.object({ alert: z.string() }), z.object({ record: z.string() })])) })),
});

export const prometheusRulesLoaded: ValidationCheck = {
  id: "infrastructure.prometheus-rules",
  category: "infrastructure",
  title: "Prometheus has loaded every alert rule",
  severity: "error",
  quick: false,
  eventualMs: 3_000,
  run: async (context) => {
    const off = monitoringOff(context);
    if (off !== undefined) return off;
    const { workload } = context;
    const file = workload.path(workload.manifest.monitoring.rules);
    const wanted = parseDocument(ruleFile, await readFile(file, "utf8"), file).groups.flatMap((group) =>
      group.rules.map((rule) => ("alert" in rule ? rule.alert : rule.record)),
    );
    const loaded = await prometheusRules(context);
    const names = new Set(loaded.map(({ name }) => name));
    const problems = [
      ...wanted.filter((name) => !names.has(name)).map((name) => `${name} is not loaded`),
      ...loaded.filter(({ health }) => health === "err").map(({ name, lastError }) => `${name} cannot be evaluated: ${lastError ?? "no reason given"}`),
    ];
    return verdict(problems, {
      count: wanted.length,
      evidence: `${wanted.length} rules loaded, none in error`,
      remedy: "Check the rules with `promtool check rules`, then reload Prometheus.",
    });
  },
};

export const alertmanagerConnected: ValidationCheck = {
  id: "infrastructure.alertmanager",
  category: "infrastructure",
  title: "Prometheus sends its alerts to a ready Alertmanager",
  severity: "error",
  quick: false,
  eventualMs: sinceStartMs,
  run: async (context) => {
    const { target, http, signal } = context;
    const off = monitoringOff(context);
    if (off !== undefined) return off;
    if (target.alertmanagerUrl === undefined) return skipped("this stack has no Alertmanager", "Switch it on to have it looked at.");
    const ready = await http.send(new URL("/-/ready", target.alertmanagerUrl).href, { signal });
    if (ready.status !== 200) return failed(`Alertmanager answers ${ready.status} to /-/ready`, "See its log.");
    const known = await prometheusAlertmanagers(context);
    if (known.length === 0) return failed("Prometheus knows no Alertmanager", "Name it under `alerting` in Prometheus' configuration.");
    return passed(`ready, and known to Prometheus as ${known.map((url) => new URL(url).host).join(", ")}`);
  },
};

export const grafanaHealthy: ValidationCheck = {
  id: "infrastructure.grafana",
  category: "infrastructure",
  title: "Grafana is up with its database",
  severity: "error",
  quick: false,
  eventualMs: 3_000,
  run: async ({ target, http, signal }) => {
    if (target.grafanaUrl === undefined) return skipped("this stack has no Grafana", "Install a grafana binary, or use a platform with images.");
    const answer = await http.send(new URL("/api/health", target.grafanaUrl).href, { signal });
    const database = answer.status === 200 ? at(jsonOf(answer), "/database") : undefined;
    if (database === "ok") return passed("/api/health says its database is ok");
    return failed(`/api/health answered ${answer.status}, database ${String(database)}`, "See Grafana's log.");
  },
};
