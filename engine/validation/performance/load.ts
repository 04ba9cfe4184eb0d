import type { CheckContext, ValidationCheck } from "../check.ts";
import { headerOf, isHtml, type HttpAnswer } from "../httpClient.ts";
import { verdict } from "../outcome.ts";
import { visit } from "../application/routes.ts";

/** Own assets that a page makes a browser fetch: stylesheets, scripts, images. */
export function assetsOf(page: HttpAnswer): string[] {
  const tags = page.body.match(/<(link|script|img)\b[^>]*>/gi) ?? [];
  const urls = tags
    .filter((tag) => !/^<link/i.test(tag) || /\brel="?(stylesheet|icon|preload)/i.test(tag))
    .flatMap((tag) => /\b(?:href|src)="([^"]+)"/i.exec(tag)?.[1] ?? [])
    .map((address) => new URL(address.replaceAll("&amp;", "&"), page.url));
  return [...new Set(urls.filter(({ origin }) => origin === new URL(page.url).origin).map(({ href }) => href))];
}

async function loadPage(context: CheckContext, path: string, visitPage: () => Promise<HttpAnswer>) {
  const startedAt = performance.now();
  const page = await visitPage();
  const assets = assetsOf(page);
  const answers = await Promise.all(assets.map((asset) => context.http.send(asset, { signal: context.signal })));
  const broken = answers.filter(({ status }) => status >= 400).map(({ url, status }) => `${new URL(url).pathname} answered ${status}`);
  const bytes = [page, ...answers].reduce((total, answer) => total + Number(headerOf(answer, "content-length") ?? answer.body.length), 0);
  return { path, html: isHtml(page), status: page.status, loadMs: Math.round(performance.now() - startedAt), assets: assets.length, bytes, broken };
}

export const pagesLoadFast: ValidationCheck = {
  id: "performance.page-load",
  category: "performance",
  title: "Pages load fast, their assets included",
  severity: "error",
  quick: true,
  alone: true,
  timeoutMs: 15_000,
  run: async (context) => {
    const { requirements } = context;
    const bound = requirements.performance.pageLoadMs;
    const routes = requirements.routes.filter(({ page, path }) => page ?? !path.startsWith("/api/"));
    const loads = [];
    for (const route of routes) loads.push(await loadPage(context, route.path, () => visit(context, route)));
    const problems = loads.flatMap(({ path, html, loadMs, status, broken }) => [
      ...(loadMs >= bound ? [`${path} takes ${loadMs} ms, not under ${bound} ms`] : []),
      ...(html ? [] : [`${path} is no HTML page (${status})`]),
      ...broken.map((asset) => `${path}: ${asset}`),
    ]);
    const slowest = loads.toSorted((left, right) => right.loadMs - left.loadMs)[0];
    return verdict(problems, {
      count: loads.length,
      evidence: `${loads.length} pages; slowest ${slowest?.path} in ${slowest?.loadMs} ms with ${slowest?.assets} assets; bound ${bound} ms`,
      remedy: "See request_time in the access log, and the slow queries of the database.",
      details: { slowestMs: slowest?.loadMs, boundMs: bound, pages: loads.map(({ path, loadMs, assets, bytes }) => ({ path, loadMs, assets, bytes })) },
    });
  },
};

/** The value below which `share` of the values lie, by the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

async function requestMany(context: CheckContext, requests: number, concurrency: number): Promise<HttpAnswer[]> {
  const { target, requirements, http, signal } = context;
  const url = new URL(requirements.performance.path, target.httpsUrl).href;
  const answers: HttpAnswer[] = [];
  let left = requests;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left > 0) {
        left -= 1;
        answers.push(await http.send(url, { signal }));
      }
    }),
  );
  return answers;
}

function loadCheck(options: { name: string; title: string; share: number; concurrency: (requirements: CheckContext["requirements"]) => number }): ValidationCheck {
  return {
    id: `performance.${options.name}`,
    category: "performance",
    title: options.title,
    severity: "error",
    quick: false,
    alone: true,
    timeoutMs: 20_000,
    run: async (context) => {
      const { p95Ms, path, requests } = context.requirements.performance;
      const wanted = Math.ceil(requests * options.share);
      const concurrency = options.concurrency(context.requirements);
      const startedAt = performance.now();
      const answers = await requestMany(context, wanted, concurrency);
      const perSecond = Math.round(answers.length / ((performance.now() - startedAt) / 1_000));
      const times = answers.map(({ durationMs }) => durationMs);
      const p95 = Math.round(percentile(times, 0.95));
      const wrong = answers.filter(({ status }) => status !== 200);
      const problems = [
        ...(p95 >= p95Ms ? [`p95 is ${p95} ms, not under ${p95Ms} ms`] : []),
        ...(wrong.length > 0 ? [`${wrong.length} of ${answers.length} answers were ${[...new Set(wrong.map(({ status }) => status))].join(", ")}, not 200`] : []),
      ];
      return verdict(problems, {
        count: answers.length,
        evidence: `${answers.length} requests to ${path}, ${concurrency} at a time: p50 ${Math.round(percentile(times, 0.5))} ms, p95 ${p95} ms, ${perSecond} per second; bound ${p95Ms} ms`,
        remedy: "See what is slow in the access log: request_time against upstream_response_time.",
        details: { requests: answers.length, concurrency, p50Ms: Math.round(percentile(times, 0.5)), p95Ms: p95, boundMs: p95Ms, perSecond },
      });
    },
  };
}

export const sequentialRequests = loadCheck({
  name: "sequential-requests",
  title: "One visitor is answered fast",
  share: 0.4,
  concurrency: () => 1,
});

export const concurrentRequests = loadCheck({
  name: "concurrent-requests",
  title: "Many visitors at once are answered fast, and all of them",
  share: 1,
  concurrency: ({ performance }) => performance.concurrency,
});

export const memoryBounded: ValidationCheck = {
  id: "performance.memory",
  category: "performance",
  title: "The services stay within their memory",
  severity: "error",
  quick: false,
  run: async ({ services, requirements }) => {
    const seen = (await services()).flatMap(({ service, state: { rssBytes } }) => (rssBytes === undefined ? [] : [{ service: service.name, rssMb: Math.round(rssBytes / 1024 ** 2) }]));
    const totalMb = seen.reduce((total, { rssMb }) => total + rssMb, 0);
    const bound = requirements.performance.memoryMb;
    return verdict(totalMb > bound ? [`together they hold ${totalMb} MB, more than ${bound} MB`] : [], {
      count: seen.length,
      evidence: `${totalMb} MB in ${seen.length} services; bound ${bound} MB`,
      remedy: "See which one grows: `understudy status`.",
      details: { totalMb, boundMb: bound, services: seen },
    });
  },
};
