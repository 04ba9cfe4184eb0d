import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import type { TrafficQuery } from "./kinds.ts";

interface Entry {
  readonly query: TrafficQuery;
  readonly key: string;
  /** The last token whose commit the server acknowledged. */
  acknowledged: string | undefined;
  /** Tokens sent later whose fate is unknown: the connection broke before the answer. */
  inDoubt: string[];
}

export interface JournalVerdict {
  readonly acknowledged: number;
  readonly verifiedKeys: number;
  /** Writes that were acknowledged and are not there, by writer and key. */
  readonly lost: readonly string[];
  /** Keys that could not be read back, and why. */
  readonly unreadable: readonly string[];
}

/** Notes every write that the server acknowledged, and holds the database to it afterwards. */
export class CommitJournal {
  readonly #entries = new Map<string, Entry>();
  #acknowledged = 0;

  acknowledge(query: TrafficQuery, key: string, token: string): void {
    const entry = this.#entry(query, key);
    entry.acknowledged = token;
    entry.inDoubt = [];
    this.#acknowledged += 1;
  }

  doubt(query: TrafficQuery, key: string, token: string): void {
    this.#entry(query, key).inDoubt.push(token);
  }

  /** Reads back every key that has an acknowledged write. */
  async verify(client: Client): Promise<JournalVerdict> {
    const lost: string[] = [];
    const unreadable: string[] = [];
    const due = [...this.#entries.values()].filter(({ acknowledged }) => acknowledged !== undefined);
    for (const { query, key, acknowledged, inDoubt } of due) {
      try {
        const { rows } = await client.query<unknown[]>({ text: query.readBack ?? "", values: [key], rowMode: "array" });
        const found = rows[0]?.[0];
        if (found !== acknowledged && !inDoubt.some((token) => token === found)) {
          lost.push(`${query.name} ${key}: ${rows.length === 0 ? "the row is gone" : "holds an older value"}`);
        }
      } catch (error) {
        unreadable.push(`${query.name} ${key}: ${messageOf(error)}`);
      }
    }
    return { acknowledged: this.#acknowledged, verifiedKeys: due.length, lost, unreadable };
  }

  #entry(query: TrafficQuery, key: string): Entry {
    const name = `${query.name}\0${key}`;
    const entry = this.#entries.get(name) ?? { query, key, acknowledged: undefined, inDoubt: [] };
    this.#entries.set(name, entry);
    return entry;
  }
}
