import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { withSession } from "../postgres/session.ts";
import { connectionOf, type StagingRole } from "../staging/database.ts";
import { createHttpClient } from "../validation/httpClient.ts";
import { loadRequirements } from "../validation/requirements.ts";
import { readAccounts, signInAs, signOut, type SignedIn } from "../validation/signIn.ts";
import type { ValidationTarget } from "../validation/target.ts";
import type { Workload } from "../workload/manifest.ts";
import { placeholdersOf, type Values } from "./template.ts";
import type { Journey, LoadPlan } from "./plan.ts";

/** What journeys need of a running stack: sessions, values, a place that webhooks may call. */
export interface LoadWorld {
  valuesFor(number: number): Values;
  cookieFor(number: number): string | undefined;
  /** Removes what journeys left, signs out, ends the receiver. */
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly plan: LoadPlan;
  /** Those that will be made. */
  readonly journeys: readonly Journey[];
  readonly target: ValidationTarget;
  readonly workload: Workload;
  /** Most sessions to open. */
  readonly sessions: number;
  readonly signal?: AbortSignal | undefined;
}

const mostValues = 2_000;
const statementTimeoutMs = 10_000;

/**
 * Signs in, reads the plan's data, opens the receiver.
 * @throws when an account cannot sign in or a query of the plan yields nothing.
 */
export async function openWorld(options: WorldOptions): Promise<LoadWorld> {
  const { plan, journeys, target, workload, signal } = options;
  const named = new Set(journeys.flatMap(({ steps }) => steps.flatMap(({ path, headers, json }) => placeholdersOf([path, headers, json]))));
  const session = <Result>(role: StagingRole, use: Parameters<typeof withSession<Result>>[2], writable = false) =>
    withSession(connectionOf(target.staging, role), { applicationName: "understudy load", readOnly: !writable, statementTimeoutMs, lockTimeoutMs: 5_000, signal }, use);

  const data = await session("readOnly", async (client) => {
    const read = new Map<string, readonly unknown[]>();
    for (const [name, sql] of Object.entries(plan.data)) {
      if (!named.has(name)) continue;
      const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM (${sql}) plan_data LIMIT ${mostValues}`);
      const values = rows.map((row) => Object.values(row)[0]);
      if (values.length === 0) throw new Error(`data.${name} of the load plan yields no row`);
      read.set(name, values);
    }
    return read;
  });

  const requirements = await loadRequirements(workload);
  const http = createHttpClient();
  const close: (() => Promise<unknown>)[] = [() => http.close()];
  try {
    const accounts = await session("readOnly", (client) => readAccounts(client, { ...requirements, signIn: { ...requirements.signIn, accounts: plan.accounts.sql } }));
    const sessions: SignedIn[] = [];
    close.push(() => Promise.allSettled(sessions.map((signedIn) => signOut(signedIn, { baseUrl: target.appUrl, http, requirements }))));
    if (journeys.some(({ signedIn }) => signedIn)) {
      // Past the proxy, which counts sign-ins.
      for (const account of accounts.slice(0, Math.min(options.sessions, plan.accounts.most))) {
        sessions.push(await signInAs(account, { baseUrl: target.appUrl, password: target.signInPassword, http, requirements, signal: AbortSignal.timeout(10_000) }));
      }
    }
    const receiver = named.has("receiver") ? await openReceiver() : undefined;
    if (receiver !== undefined) close.push(receiver.close);
    close.push(async () => {
      for (const sql of plan.cleanUp) {
        await withSession(connectionOf(target.staging, "app"), { applicationName: "understudy load", readOnly: false, statementTimeoutMs: 60_000, lockTimeoutMs: 10_000 }, (client) => client.query(sql));
      }
    });
    const runId = randomUUID().slice(0, 8);
    return {
      valuesFor: (number) => ({
        unique: `${runId}-${number}`,
        email: accounts[number % accounts.length]?.email,
        password: target.signInPassword,
        receiver: receiver?.url,
        ...Object.fromEntries([...data].map(([name, values]) => [name, values[number % values.length]])),
      }),
      cookieFor: (number) => sessions[number % Math.max(1, sessions.length)]?.headers["cookie"],
      close: () => closeAll(close),
    };
  } catch (error) {
    await closeAll(close).catch(() => {});
    throw error;
  }
}

/** Last first; the first failure is told when all is done. */
async function closeAll(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps.toReversed()) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Takes whatever is posted to it, on this machine alone: what webhooks of the smoke tests call. */
async function openReceiver(): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
