import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

const runs = 5;

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export const standardQueries: ValidationCheck = {
  id: "database.standard-queries",
  category: "database",
  title: "Standard queries are fast",
  severity: "error",
  quick: true,
  alone: true,
  run: async ({ requirements, session }) => {
    const { queryMs } = requirements.performance;
    const measured = await session("readOnly", async (client) => {
      const results: { query: string; medianMs: number; slowestMs: number }[] = [];
      for (const { name, sql } of requirements.database.queries) {
        const times: number[] = [];
        for (let run = 0; run < runs; run += 1) {
          const startedAt = performance.now();
          await client.query(sql);
          times.push(performance.now() - startedAt);
        }
        results.push({ query: name, medianMs: round(median(times)), slowestMs: round(Math.max(...times)) });
      }
      return results;
    });
    const problems = measured.filter(({ medianMs }) => medianMs >= queryMs).map(({ query, medianMs }) => `${query} takes ${medianMs} ms, not under ${queryMs} ms`);
    return verdict(problems, {
      count: measured.length,
      evidence: `median of ${runs} runs: ${measured.map(({ query, medianMs }) => `${query} ${medianMs} ms`).join(", ")}; bound ${queryMs} ms`,
      remedy: "EXPLAIN (ANALYZE, BUFFERS) it; ANALYZE its tables; see whether an index is missing.",
      details: { queries: measured, slowestMs: Math.max(...measured.map(({ medianMs }) => medianMs)) },
    });
  },
};

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
