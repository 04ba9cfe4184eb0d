import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import type { ConnectionSettings } from "../../postgres/connection.ts";
import { openSession } from "../run/session.ts";
import { CommitJournal } from "./journal.ts";
import type { Request, TrafficQuery } from "./kinds.ts";

export interface TrafficOptions {
  /** The application's role on a clone. */
  readonly settings: ConnectionSettings;
  readonly queries: readonly TrafficQuery[];
  /** Sessions for each kind of request; default 2. */
  readonly sessionsPerKind?: number;
  /** Time between two requests of one session; default 10. */
  readonly periodMs?: number;
}

/** What the server may refuse without the application being at fault: timeouts, deadlocks, serialization. */
const expectedStates = ["55P03", "40P01", "40001", "57014"];

/** True for an error that says the migration broke a query of the running application. */
export function isBreakage({ error, state }: Request): boolean {
  return error !== undefined && !expectedStates.includes(state ?? "");
}

/**
 * Readers and writers at an even pace. A request that is due while the one before it still waits counts its wait from
 * when it was due, so that a stall shows in every request that it delays.
 */
export class Traffic {
  readonly requests: Request[] = [];
  readonly journal = new CommitJournal();
  readonly #clients: Client[] = [];
  #loops: Promise<void>[] = [];
  #stopped = false;

  private constructor() {}

  static async start(options: TrafficOptions): Promise<Traffic> {
    const traffic = new Traffic();
    const { sessionsPerKind = 2, periodMs = 10 } = options;
    const kinds = [options.queries.filter(({ kind }) => kind === "read"), options.queries.filter(({ kind }) => kind === "write")];
    try {
      for (const queries of kinds) {
        for (let number = 0; number < sessionsPerKind && queries.length > 0; number += 1) {
          const client = await openSession(options.settings, "understudy traffic");
          traffic.#clients.push(client);
          traffic.#loops.push(traffic.#work(client, queries, number, sessionsPerKind, periodMs));
        }
      }
    } catch (error) {
      await traffic.stop();
      throw error;
    }
    return traffic;
  }

  /** Requests that were due in a window of `performance.now()`. */
  between(from: number, to: number): Request[] {
    return this.requests.filter(({ dueAt }) => dueAt >= from && dueAt < to);
  }

  /** Lets the requests under way end, then closes the sessions. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    this.#loops = [];
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})));
  }

  async #work(client: Client, queries: readonly TrafficQuery[], worker: number, workers: number, periodMs: number): Promise<void> {
    // Each session writes keys of its own, so that the last acknowledged write of a key is known for certain.
    const keysOf = queries.map(({ kind, keys }) => (kind === "write" ? keys?.filter((_, index) => index % workers === worker) : keys));
    const began = performance.now() + (periodMs * worker) / workers;
    for (let number = 0; !this.#stopped; number += 1) {
      const dueAt = began + number * periodMs;
      const wait = dueAt - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const choice = number % queries.length;
      const query = queries[choice];
      const keys = keysOf[choice];
      if (query === undefined || (keys !== undefined && keys.length === 0)) continue;
      const round = Math.floor(number / queries.length);
      const key = keys === undefined ? (query.kind === "write" ? randomUUID() : undefined) : keys[round % keys.length];
      if (!(await this.#request(client, query, key, dueAt))) return;
    }
  }

  /** False when the session is gone. */
  async #request(client: Client, query: TrafficQuery, key: string | undefined, dueAt: number): Promise<boolean> {
    const token = `token ${randomUUID()}`;
    const { journal } = this;
    const values = key === undefined ? [] : query.readBack === undefined ? [key] : [key, token];
    try {
      const result = await client.query(query.sql, values);
      if (query.readBack !== undefined && key !== undefined && (result.rowCount ?? 0) > 0) journal.acknowledge(query, key, token);
      this.#note(query, dueAt, undefined, undefined);
      return true;
    } catch (error) {
      const state = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
      const answered = state !== undefined && !state.startsWith("57P") && /^[0-9A-Z]{5}$/.test(state);
      if (!answered && query.readBack !== undefined && key !== undefined) journal.doubt(query, key, token);
      this.#note(query, dueAt, messageOf(error), state);
      return answered;
    }
  }

  #note(query: TrafficQuery, dueAt: number, error: string | undefined, state: string | undefined): void {
    this.requests.push({ name: query.name, kind: query.kind, dueAt, endedAt: performance.now(), error, state });
  }
}
