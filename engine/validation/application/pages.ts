import type { ValidationCheck } from "../check.ts";
import { headerOf, isHtml } from "../httpClient.ts";
import { verdict } from "../outcome.ts";
import type { Requirements } from "../requirements.ts";
import { visit } from "./routes.ts";

/** Whether the application has pages for people, or is an API alone. */
export function hasPages({ banner }: Requirements): boolean {
  return banner !== undefined;
}

export const stagingBanner: ValidationCheck = {
  id: "application.staging-banner",
  category: "application",
  title: "Every page says that this is staging",
  severity: "error",
  quick: true,
  run: async (context) => {
    const { routes, banner = [] } = context.requirements;
    const answers = await Promise.all(routes.filter((route) => !route.signedIn).map((route) => visit(context, route)));
    const pages = answers.filter(isHtml);
    const problems = pages.flatMap((page) => banner.filter((text) => !page.body.includes(text)).map((text) => `${new URL(page.url).pathname} lacks "${text}"`));
    return verdict(problems, { count: pages.length, evidence: `${pages.length} pages carry it`, remedy: "The proxy puts it before </body>: see sub_filter in nginx.conf." });
  },
};

export const staticAssets: ValidationCheck = {
  id: "application.static-assets",
  category: "application",
  title: "Static assets are served, typed and cached",
  severity: "error",
  quick: false,
  run: async ({ target, requirements, http, signal }) => {
    const seen = await Promise.all(
      requirements.assets.map(async (asset) => ({ asset, answer: await http.send(new URL(asset.path, target.httpsUrl).href, { signal }) })),
    );
    const problems = seen.flatMap(({ asset, answer }) => {
      if (answer.status !== 200) return [`${asset.path} answered ${answer.status}`];
      const type = headerOf(answer, "content-type") ?? "nothing";
      const caching = headerOf(answer, "cache-control") ?? "nothing";
      const maxAge = Number(/max-age=(\d+)/.exec(caching)?.[1] ?? -1);
      return [
        ...(type.startsWith(asset.contentType) ? [] : [`${asset.path} has type ${type}, not ${asset.contentType}`]),
        ...(maxAge >= asset.maxAgeSeconds ? [] : [`${asset.path} has Cache-Control ${caching}, less than ${asset.maxAgeSeconds} s`]),
        ...(answer.body.length > 0 ? [] : [`${asset.path} is empty`]),
      ];
    });
    return verdict(problems, { count: seen.length, evidence: `${seen.length} assets: ${requirements.assets.map(({ path }) => path).join(", ")}`, remedy: "See proxy.static in workload.yaml and the location /static/ of nginx.conf." });
  },
};

export const notFound: ValidationCheck = {
  id: "application.not-found",
  category: "application",
  title: "What does not exist is answered 404, as JSON and, where there are pages, as one",
  severity: "error",
  quick: true,
  run: async ({ target, requirements, http, signal }) => {
    const [page, api] = await Promise.all(
      ["/understudy-no-such-page", "/api/understudy-no-such-route"].map((path) => http.send(new URL(path, target.httpsUrl).href, { signal })),
    );
    const answers = [
      { kind: "page", answer: page, type: hasPages(requirements) ? "text/html" : "application/json" },
      { kind: "API", answer: api, type: "application/json" },
    ];
    const problems = answers.flatMap(({ kind, answer, type }) => {
      const served = answer === undefined ? "nothing" : (headerOf(answer, "content-type") ?? "nothing");
      return [
        ...(answer?.status === 404 ? [] : [`the ${kind} answered ${answer?.status}, not 404`]),
        ...(served.startsWith(type) ? [] : [`the ${kind} answered with ${served}, not ${type}`]),
      ];
    });
    return verdict(problems, { count: answers.length, evidence: answers.map(({ kind, type }) => `the ${kind}: 404 with ${type}`).join(", "), remedy: "Give the application a not-found handler for both." });
  },
};
