import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { attempt, failed, Pointless } from "../board.ts";
import { migrate, withClone, withRole } from "../context.ts";
import type { RehearsalContext } from "../context.ts";
import type { Scenario, Step } from "../expectations.ts";
import { captureBefore, definitionOf, evaluateRule } from "../rules.ts";
import { describeRefusal } from "../run/apply.ts";
import { openSession } from "../run/session.ts";

/** Plays a scenario of the workload on a clone of its own; every rule in it is a check. True when all that were wanted passed. */
export async function runScenario(context: RehearsalContext, scenario: Scenario): Promise<boolean> {
  const rules = scenario.steps.flatMap((step) => ("expect" in step ? step.expect : []));
  const definitions = rules.map((rule) => ({ ...definitionOf(scenario.category, rule), title: `${scenario.title}: ${rule.title}` }));
  return context.board.group(definitions, async (settle) => {
    await withClone(context, (clone) =>
      withRole(context, clone, "owner", async (owner) => {
        const held: Held[] = [];
        try {
          for (const [index, step] of scenario.steps.entries()) {
            if ("expect" in step) {
              for (const rule of step.expect) settle(`${scenario.category}.${rule.id}`, await attempt(() => evaluateRule(owner, rule)));
              continue;
            }
            const refusal = await playStep(context, { clone, owner, held }, step, `step ${index + 1}`);
            if (refusal === undefined) continue;
            for (const rule of rules) settle(`${scenario.category}.${rule.id}`, failed(refusal));
            throw new Pointless(refusal);
          }
        } finally {
          await Promise.all(held.map(({ client }) => client.end().catch(() => {})));
        }
      }),
    );
  }, { signal: context.signal });
}

interface Held {
  readonly client: Client;
  readonly sql: string;
  readonly forMs: number;
  /** Text of the statement that it begins before; undefined: it has begun. */
  readonly before: string | undefined;
}

async function begin({ client, sql }: Held): Promise<void> {
  await client.query("BEGIN");
  await client.query(sql);
}

/** How long past its time a transaction stays open for the migration to come to wait for it, on a busy machine. */
const patienceMs = 2_000;

const isWaitedFor = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))) AS waited";

async function commitLater({ client, forMs }: Held): Promise<void> {
  await sleep(forMs);
  const deadline = Date.now() + patienceMs;
  try {
    while (Date.now() < deadline && !(await client.query<{ waited: boolean }>(isWaitedFor)).rows[0]?.waited) await sleep(20);
    await client.query("COMMIT");
  } finally {
    await client.end().catch(() => {});
  }
}

interface Stage {
  readonly clone: string;
  readonly owner: Client;
  /** Transactions that wait for the next migrate step. */
  readonly held: Held[];
}

/** Returns why the migration failed at this step. @throws Error when the scenario itself cannot be played. */
async function playStep(context: RehearsalContext, stage: Stage, step: Exclude<Step, { expect: unknown }>, name: string): Promise<string | undefined> {
  if ("capture" in step) {
    await captureBefore(stage.owner, step.capture);
    return undefined;
  }
  if ("hold" in step) {
    const client = await openSession(context.clones.settings(stage.clone, step.as), "understudy scenario");
    const held = { client, sql: step.hold, forMs: step.forMs, before: step.before };
    stage.held.push(held);
    if (held.before === undefined) await begin(held);
    return undefined;
  }
  if ("sql" in step) {
    const run = async (client: Client): Promise<number> => {
      const result = await client.query(step.sql);
      return [result].flat().reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0);
    };
    const rows = step.as === "owner" ? await run(stage.owner) : await withRole(context, stage.clone, "app", run);
    if (rows === 0 && !step.mayDoNothing) throw new Error(`${name} changed and returned no row, so the scenario shows nothing`);
    return undefined;
  }
  const held = stage.held.splice(0);
  const commits = held.filter(({ before }) => before === undefined).map(commitLater);
  for (const commit of commits) commit.catch(() => {});
  const waiting = new Set(held.filter(({ before }) => before !== undefined));
  const run = await migrate(context, stage.clone, step.migrate, {
    mustSucceed: !step.fails,
    beforeStatement: async (statement) => {
      for (const one of [...waiting].filter(({ before }) => before !== undefined && statement.sql.includes(before))) {
        waiting.delete(one);
        await begin(one);
        const commit = commitLater(one);
        commit.catch(() => {});
        commits.push(commit);
      }
    },
  });
  const unfinished = (await Promise.allSettled(commits)).find(({ status }) => status === "rejected");
  if (unfinished !== undefined) throw new Error(`${name}: what happened at the same time could not be committed`);
  for (const { before, client } of waiting) {
    await client.end().catch(() => {});
    throw new Error(`${name}: no statement contains \`${before ?? ""}\`, so nothing happened at the same time`);
  }
  if (run.succeeded === !step.fails) return undefined;
  return step.fails ? `${step.migrate} was to be refused, and went through.` : `${step.migrate} was refused: ${describeRefusal(run.refusal)}`;
}
