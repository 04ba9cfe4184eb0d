import type { CheckContext, ValidationCheck } from "../check.ts";
import { jsonOf, type HttpAnswer } from "../httpClient.ts";
import { mismatches } from "../jsonExpectation.ts";
import { verdict } from "../outcome.ts";
import type { Requirements, RouteRequirement } from "../requirements.ts";

/** Requests a route through the proxy, signed in where it wants that. */
export async function visit(context: CheckContext, route: RouteRequirement): Promise<HttpAnswer> {
  const headers = route.signedIn ? (await context.signedIn()).headers : {};
  return context.http.send(new URL(route.path, context.target.httpsUrl).href, { headers, signal: context.signal });
}

/** One check for each route of the workload. */
export function routeChecks(requirements: Requirements): ValidationCheck[] {
  return requirements.routes.map((route) => ({
    id: `application.route-${route.name}`,
    category: "application",
    title: `${route.path} answers as it should`,
    severity: "error",
    quick: route.quick,
    run: async (context) => {
      const answer = await visit(context, route);
      const problems = [
        ...(answer.status === route.status ? [] : [`it answered ${answer.status}, not ${route.status}`]),
        ...route.contains.filter((text) => !answer.body.includes(text)).map((text) => `"${text}" is not in it`),
        ...(route.json.length === 0 || answer.status !== route.status ? [] : mismatches(jsonOf(answer), route.json)),
      ];
      return verdict(problems, {
        count: 1,
        evidence: `${answer.status}, ${answer.body.length} characters in ${Math.round(answer.durationMs)} ms`,
        remedy: "See the application's log at the time of this run.",
      });
    },
  }));
}
