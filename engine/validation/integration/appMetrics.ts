import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

export const appMetrics: ValidationCheck = {
  id: "integration.app-metrics",
  category: "integration",
  title: "Every instance of the application shows the metrics that alerts and dashboards are built on",
  severity: "error",
  quick: false,
  run: async ({ target, workload, requirements, http, signal }) => {
    const path = workload.manifest.app.metricsPath;
    const wanted = requirements.monitoring.appMetrics;
    const instances = target.appInstances ?? [{ service: "app", url: target.appUrl }];
    const problems = await Promise.all(
      instances.map(async ({ service, url }) => {
        const answer = await http.send(new URL(path, url).href, { signal });
        if (answer.status !== 200) return [`${path} of ${service} answered ${answer.status}`];
        const shown = new Set([...answer.body.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
        return wanted.filter((name) => !shown.has(name)).map((name) => `${service} does not show ${name}`);
      }),
    );
    return verdict(problems.flat(), {
      count: instances.length * wanted.length,
      evidence: `${wanted.length} metrics of ${instances.length} instance(s): ${wanted.join(", ")}`,
      remedy: `See ${path} of the application, past the proxy.`,
    });
  },
};
