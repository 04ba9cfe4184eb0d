import { quoteIdentifier } from "../../postgres/identifier.ts";
import { lineOfOwnRequest, stagingLogLine } from "../accessLog.ts";
import type { ValidationCheck } from "../check.ts";
import { quoteTable } from "../database/tables.ts";
import { jsonOf } from "../httpClient.ts";
import { at } from "../jsonExpectation.ts";
import { failed, passed, verdict } from "../outcome.ts";
import { monitoringOff, prometheusQuery } from "../prometheus.ts";

export const proxyReachesApp: ValidationCheck = {
  id: "integration.proxy-app",
  category: "integration",
  title: "The proxy hands requests on to the application",
  severity: "error",
  quick: true,
  run: async (context) => {
    const { target, workload, requirements, http, signal } = context;
    const path = workload.manifest.app.healthPath;
    const [direct, proxied] = await Promise.all([target.appUrl, target.httpsUrl].map((base) => http.send(new URL(path, base).href, { signal })));
    if (direct === undefined || proxied === undefined) throw new Error("no answers");
    const names = (document: unknown) => Object.values(requirements.health.components).filter((pointer) => at(document, pointer) !== undefined).length;
    const [directly, throughProxy] = [names(jsonOf(direct)), names(jsonOf(proxied))];
    if (proxied.status >= 502 || throughProxy === 0 || throughProxy !== directly) {
      return failed(`${path} names ${throughProxy} components through the proxy (${proxied.status}), ${directly} directly (${direct.status})`, "See the upstream in nginx.conf.");
    }
    if (target.accessLog === undefined) return passed(`${path} is the same directly and through the proxy`);
    const upstreamTime = stagingLogLine.exec((await lineOfOwnRequest(context, target.accessLog, path)) ?? "")?.groups?.["upstreamTime"];
    if (upstreamTime === undefined || upstreamTime === "-") return failed(`${path} was answered by the proxy itself: its log names no upstream time`, "See the location of that path in nginx.conf.");
    return passed(`${path} is the same directly and through the proxy; the upstream took ${upstreamTime} s`);
  },
};

export const exportersSeeServices: ValidationCheck = {
  id: "integration.exporters",
  category: "integration",
  title: "The exporters see their services",
  severity: "error",
  quick: false,
  eventualMs: 10_000,
  run: async (context) => {
    const off = monitoringOff(context);
    if (off !== undefined) return off;
    const { queries } = context.requirements.monitoring;
    const seen = await Promise.all(queries.map(async ({ name, query }) => ({ name, query, samples: await prometheusQuery(context, query) })));
    const problems = seen.flatMap(({ name, query, samples }) => {
      if (samples.length === 0) return [`${name}: ${query} yields nothing`];
      const zero = samples.filter(({ value }) => Number(value[1]) === 0 || Number.isNaN(Number(value[1])));
      return zero.length > 0 ? [`${name}: ${query} is ${zero[0]?.value[1]}`] : [];
    });
    return verdict(problems, {
      count: seen.length,
      evidence: seen.map(({ name, samples }) => `${name} (${samples.length})`).join(", "),
      remedy: "See the exporter's log, and the password it was given.",
      details: { queries: seen.map(({ name, query, samples }) => ({ name, query, value: samples[0]?.value[1] ?? null })) },
    });
  },
};

export const migrationLogReadable: ValidationCheck = {
  id: "integration.migration-log",
  category: "integration",
  title: "The migration log can be read by the application and by people",
  severity: "error",
  quick: true,
  run: async ({ requirements, session }) => {
    const { table, columns } = requirements.database.migrationLog;
    const sql = `SELECT count(*) AS rows FROM (SELECT ${columns.map(quoteIdentifier).join(", ")} FROM ${quoteTable(table)}) log`;
    const counts = await Promise.all(
      (["readOnly", "app"] as const).map((role) =>
        session(role, (client) => client.query<{ rows: string }>(sql)).then(
          ({ rows }) => ({ role, count: rows[0]?.rows, problem: undefined }),
          (error: Error & { code?: string }) => {
            if (error.code === undefined || !error.code.startsWith("42")) throw error;
            return { role, count: undefined, problem: `${role}: ${error.message}` };
          },
        ),
      ),
    );
    return verdict(
      counts.flatMap(({ problem }) => problem ?? []),
      { count: counts.length, evidence: `${table}: ${counts[0]?.count} rows, columns ${columns.join(", ")}`, remedy: "Run `understudy up`: it brings staging's own tables and privileges to what they should be." },
    );
  },
};
