import type { CheckContext, ValidationCheck } from "../check.ts";
import { jsonOf } from "../httpClient.ts";
import { at, mismatches } from "../jsonExpectation.ts";
import { verdict } from "../outcome.ts";

async function documentAt(path: string, { target, http, signal }: CheckContext): Promise<{ status: number; document: unknown }> {
  const answer = await http.send(new URL(path, target.httpsUrl).href, { signal });
  return { status: answer.status, document: jsonOf(answer) };
}

export const healthy: ValidationCheck = {
  id: "application.health",
  category: "application",
  title: "The application is healthy, and so is every component",
  severity: "error",
  quick: true,
  eventualMs: 3_000,
  run: async (context) => {
    const { components, healthy } = context.requirements.health;
    const { status, document } = await documentAt(context.workload.manifest.app.healthPath, context);
    const states = Object.entries(components).map(([name, pointer]) => ({ component: name, state: at(document, pointer) ?? "not mentioned" }));
    const problems = [
      ...(status === 200 ? [] : [`${context.workload.manifest.app.healthPath} answered ${status}`]),
      ...states.filter(({ state }) => state !== healthy).map(({ component, state }) => `${component} is ${JSON.stringify(state)}`),
    ];
    return verdict(problems, {
      count: states.length,
      evidence: `${states.map(({ component }) => component).join(", ")}: ${String(healthy)}`,
      remedy: "The health document names the component and its error; see that service's log.",
      details: { states },
    });
  },
};

export const environmentFlags: ValidationCheck = {
  id: "application.flags",
  category: "application",
  title: "The environment's switches have reached the application",
  severity: "error",
  quick: true,
  run: async (context) => {
    const { flags, flagsPath = context.workload.manifest.app.healthPath } = context.requirements.health;
    const { document } = await documentAt(flagsPath, context);
    return verdict(mismatches(document, flags), {
      count: flags.length,
      evidence: flags.map(({ pointer, equals }) => `${pointer} is ${JSON.stringify(equals)}`).join(", "),
      remedy: "Set them under app.environment in workload.yaml, then `understudy up`.",
    });
  },
};
