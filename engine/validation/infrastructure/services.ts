import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { ValidationCheck } from "../check.ts";
import { skipped, verdict } from "../outcome.ts";
import type { ServiceState, ValidationTarget } from "../target.ts";

export const servicesUp: ValidationCheck = {
  id: "infrastructure.services-up",
  category: "infrastructure",
  title: "Every service is up",
  severity: "error",
  quick: true,
  eventualMs: 3_000,
  run: async ({ services }) => {
    const seen = await services({ fresh: true });
    const problems = seen.filter(({ state }) => !state.up).map(({ service }) => `${service.name} (port ${service.port}) is down`);
    return verdict(problems, {
      count: seen.length,
      evidence: `${seen.length} of ${seen.length} services up: ${seen.map(({ service }) => service.name).join(", ")}`,
      remedy: "Read its log with `understudy logs <service>`, then run `understudy up`.",
      details: {
        services: seen.map(({ service, state }) => ({
          service: service.name,
          port: service.port,
          up: state.up,
          uptimeSeconds: state.uptimeMs === undefined ? null : Math.round(state.uptimeMs / 1_000),
          restarts: state.restarts,
        })),
      },
    });
  },
};

/** A service this young that has ended more than once is taken for one that keeps ending. */
const settledMs = 10_000;
const manyRestarts = 2;
const sampleMs = 400;

export const servicesSteady: ValidationCheck = {
  id: "infrastructure.services-steady",
  category: "infrastructure",
  title: "No service keeps restarting",
  severity: "error",
  quick: true,
  run: async ({ services }) => {
    const before = await services();
    await sleep(sampleMs);
    const after = await services({ fresh: true });
    const problems = after.flatMap(({ service, state }, index) => {
      const earlier = before[index]?.state;
      if (earlier?.pid !== undefined && state.pid !== undefined && earlier.pid !== state.pid) {
        return [`${service.name} was restarted while looked at (process ${earlier.pid}, then ${state.pid})`];
      }
      const isYoung = state.up && state.uptimeMs !== undefined && state.uptimeMs < settledMs;
      if (state.restarts < manyRestarts || (state.up && !isYoung)) return [];
      return [`${service.name} has ended ${state.restarts} times${state.up ? `, last ${((state.uptimeMs ?? 0) / 1_000).toFixed(1)} s ago` : ", and is down"}`];
    });
    return verdict(problems, {
      count: after.length,
      evidence: `${after.length} services kept their process over at least ${sampleMs} ms, none ended again and again`,
      remedy: "Its log says why it ends: `understudy logs <service>`.",
    });
  },
};

export const servicesUnprivileged: ValidationCheck = {
  id: "infrastructure.services-unprivileged",
  category: "infrastructure",
  title: "No service runs as root",
  severity: "error",
  quick: true,
  run: async ({ services }) => {
    const seen = await Promise.all(
      (await services()).map(async ({ service, state }) => ({ name: service.name, user: await accountOf(service.name, state) })),
    );
    const problems = seen.filter(({ user }) => user === "root" || user === "0").map(({ name }) => `${name} runs as root`);
    return verdict(problems, {
      count: seen.length,
      evidence: seen.map(({ name, user }) => `${name} as ${user}`).join(", "),
      remedy: "Run it under an account of its own; on platform `process` that is the stack's `account`.",
    });
  },
};

async function accountOf(name: string, { user, pid }: ServiceState): Promise<string> {
  if (user !== undefined) return user;
  if (pid === undefined) throw new Error(`it is not known which account ${name} runs as`);
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const effective = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
  if (effective === undefined) throw new Error(`/proc/${pid}/status names no account`);
  return effective;
}

/** What a check of files and sockets of this machine says where the services are not on it. */
export function elsewhere(target: ValidationTarget): ReturnType<typeof skipped> | undefined {
  if (target.platform !== "kubernetes") return undefined;
  return skipped("the services are in a cluster, not on this machine", "The cluster's own policies hold this: see docs of the platform.");
}
