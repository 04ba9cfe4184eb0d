import type { CheckContext, ValidationCheck } from "../check.ts";
import { headerOf, type HttpAnswer } from "../httpClient.ts";
import { verdict } from "../outcome.ts";

/** Different kinds of answers: headers set for one are easily forgotten on another. */
async function sampleAnswers({ target, requirements, workload, http, signal }: CheckContext): Promise<HttpAnswer[]> {
  const open = requirements.routes.filter(({ signedIn }) => !signedIn).map(({ path }) => path);
  const paths = new Set([open[0] ?? "/", workload.manifest.app.healthPath, requirements.assets[0]?.path ?? "/", "/understudy-no-such-page"]);
  return Promise.all([...paths].map((path) => http.send(new URL(path, target.httpsUrl).href, { signal })));
}

interface HeaderRule {
  readonly name: string;
  readonly header: string;
  readonly title: string;
  readonly quick?: boolean;
  /** What is wrong with the value, or nothing. */
  problem(value: string | undefined): string | undefined;
  readonly remedy: string;
}

const lacking = "is missing";
const leastHstsSeconds = 86_400;
const strictReferrer = ["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"];

const rules: readonly HeaderRule[] = [
  {
    name: "hsts",
    header: "strict-transport-security",
    title: "HSTS tells browsers to stay on HTTPS",
    problem: (value) => {
      if (value === undefined) return lacking;
      const seconds = Number(/max-age=(\d+)/i.exec(value)?.[1] ?? 0);
      return seconds >= leastHstsSeconds ? undefined : `has max-age ${seconds}, less than ${leastHstsSeconds}`;
    },
    remedy: 'add_header Strict-Transport-Security "max-age=86400" always;',
  },
  {
    name: "nosniff",
    header: "x-content-type-options",
    title: "Browsers may not guess content types",
    problem: (value) => (value === undefined ? lacking : value.toLowerCase() === "nosniff" ? undefined : `is "${value}"`),
    remedy: "add_header X-Content-Type-Options nosniff always;",
  },
  {
    name: "frame-options",
    header: "x-frame-options",
    title: "No other site may frame the pages",
    problem: (value) => (value === undefined ? lacking : /^(deny|sameorigin)$/i.test(value) ? undefined : `is "${value}"`),
    remedy: "add_header X-Frame-Options DENY always;",
  },
  {
    name: "referrer-policy",
    header: "referrer-policy",
    title: "Addresses do not leak to other sites",
    problem: (value) => {
      if (value === undefined) return lacking;
      // A list: browsers take the last they know.
      const last = value.split(",").at(-1)?.trim().toLowerCase() ?? "";
      return strictReferrer.includes(last) ? undefined : `is "${value}"`;
    },
    remedy: "add_header Referrer-Policy strict-origin-when-cross-origin always;",
  },
  {
    name: "content-security-policy",
    header: "content-security-policy",
    title: "A content security policy limits what pages load and run",
    problem: (value) => {
      if (value === undefined) return lacking;
      const directives = new Map(value.split(";").map((part) => part.trim().split(/\s+/)).map(([name = "", ...sources]) => [name.toLowerCase(), sources]));
      const scripts = directives.get("script-src") ?? directives.get("default-src");
      if (scripts === undefined) return "limits no scripts: it has neither script-src nor default-src";
      const hasNonce = scripts.some((source) => /^'(nonce|sha\d+)-/.test(source));
      const loose = scripts.filter((source) => ["*", "http:", "https:", "data:", "'unsafe-eval'"].includes(source) || (source === "'unsafe-inline'" && !hasNonce));
      return loose.length === 0 ? undefined : `allows scripts from ${loose.join(" ")}`;
    },
    remedy: "Start from default-src 'self' and name only what the pages need.",
  },
  {
    name: "noindex",
    header: "x-robots-tag",
    title: "Search engines are kept out",
    quick: true,
    problem: (value) => (value === undefined ? lacking : /\bnoindex\b|\bnone\b/i.test(value) ? undefined : `is "${value}"`),
    remedy: 'add_header X-Robots-Tag "noindex, nofollow" always;',
  },
  {
    name: "environment-header",
    header: "x-environment",
    title: "Every answer says STAGING",
    quick: true,
    problem: (value) => (value === undefined ? lacking : value === "STAGING" ? undefined : `is "${value}"`),
    remedy: "add_header X-Environment STAGING always;",
  },
  {
    name: "server-version-hidden",
    header: "server",
    title: "The server does not tell its version",
    problem: (value) => (value !== undefined && /\d/.test(value) ? `is "${value}"` : undefined),
    remedy: "server_tokens off;",
  },
  {
    name: "framework-hidden",
    header: "x-powered-by",
    title: "The framework is not advertised",
    problem: (value) => (value === undefined ? undefined : `is "${value}"`),
    remedy: "proxy_hide_header X-Powered-By;",
  },
];

/** One check for each header, on a page, on JSON, on an asset and on an error. */
export const headerChecks: readonly ValidationCheck[] = rules.map((rule) => ({
  id: `security.${rule.name}`,
  category: "security",
  title: rule.title,
  severity: "error",
  quick: rule.quick ?? false,
  run: async (context) => {
    const answers = await sampleAnswers(context);
    const problems = answers.flatMap((answer) => {
      const problem = rule.problem(headerOf(answer, rule.header));
      return problem === undefined ? [] : [`${rule.header} ${problem} on ${new URL(answer.url).pathname} (${answer.status})`];
    });
    const seen = new Set(answers.map((answer) => headerOf(answer, rule.header) ?? "not sent"));
    return verdict(problems, { count: answers.length, evidence: `${rule.header} on ${answers.length} kinds of answers: ${[...seen].join(" / ")}`, remedy: rule.remedy });
  },
}));
