import { Client } from "pg";
import { messageOf } from "../errors.ts";
import { clientConfig, displayUrl } from "../postgres/connection.ts";
import { hasSqlState } from "../postgres/session.ts";
import { ProbeFailure } from "./failure.ts";
import type { PostgresHealth } from "./spec.ts";

/** Wrong password, or no such role; a missing database may still be made. */
const hopeless = ["28P01", "28000"];

export async function probePostgres({ connection, standby }: PostgresHealth, signal: AbortSignal, timeoutMs: number): Promise<string> {
  const client = new Client({
    ...clientConfig(connection, { applicationName: "understudy health", connectTimeoutMs: timeoutMs }),
    query_timeout: timeoutMs,
  });
  client.on("error", () => {});
  const stop = (): void => void client.end().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  try {
    await client.connect();
    const { rows } = await client.query<{ one: number }>("SELECT 1 AS one");
    if (rows[0]?.one !== 1) throw new Error("SELECT 1 did not return 1");
    if (standby !== undefined) return await probeStandby(client, standby.maxLagBytes);
    return `SELECT 1 answered at ${displayUrl(connection)}`;
  } catch (cause) {
    throw new ProbeFailure(`${displayUrl(connection)}: ${messageOf(cause)}`, { permanent: hasSqlState(cause, ...hopeless), cause });
  } finally {
    signal.removeEventListener("abort", stop);
    await client.end().catch(() => {});
  }
}

async function probeStandby(client: Client, maxLagBytes: number): Promise<string> {
  const { readStandby, refusesWrites, standbyProblem } = await import("../postgres/replication.ts");
  const state = await readStandby(client);
  const problem = standbyProblem(state, maxLagBytes);
  if (problem !== undefined) throw new Error(problem);
  if (!(await refusesWrites(client))) throw new Error("it takes writes");
  return `follows its primary, ${state.lagBytes} bytes behind, and refuses writes`;
}
