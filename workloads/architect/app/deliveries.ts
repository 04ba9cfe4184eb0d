import { createHmac } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import { codeOf } from "../../shared/connectionLoss.ts";
import type { Database } from "./database.ts";
import type { Metrics } from "./metrics.ts";

const idlePauseMs = 1_000;
const batchSize = 10;
const timeoutMs = 3_000;
const mostAttempts = 5;
/** Another instance takes over what was claimed and not finished after so long. */
const claimSeconds = 30;
/** A loop that has not come round for so long is stuck. */
const stuckAfterMs = 30_000;

interface Claimed {
  readonly id: string;
  readonly attempts: number;
  readonly url: string;
  readonly secret: string;
  readonly eventId: string;
  readonly type: string;
  readonly payload: unknown;
}

interface Result {
  readonly status: "delivered" | "failed" | "suppressed";
  readonly responseStatus?: number;
  readonly error?: string;
}

const claim = {
  name: "claim_deliveries",
  text: `UPDATE webhook_deliveries d SET attempts = attempts + 1, next_attempt_at = now() + interval '${claimSeconds} seconds'
           FROM (SELECT id FROM webhook_deliveries WHERE status = 'pending' AND next_attempt_at <= now()
                  ORDER BY next_attempt_at LIMIT ${batchSize} FOR UPDATE SKIP LOCKED) due, webhooks w, events e
          WHERE d.id = due.id AND w.id = d.webhook_id AND e.id = d.event_id
      RETURNING d.id, d.attempts, w.url, w.secret, e.id AS "eventId", e.type, e.payload`,
};

/**
 * Delivers events to webhooks, at least once, shared out among the instances. On staging only to this machine: a webhook that
 * leads elsewhere is noted as suppressed and never called.
 */
export class Deliveries {
  readonly #database: Database;
  readonly #metrics: Metrics;
  readonly #log: FastifyBaseLogger;
  readonly #stop = new AbortController();
  #cameRoundAt = performance.now();
  #wake = Promise.withResolvers<void>();
  #loop: Promise<void> | undefined;

  constructor(options: { database: Database; metrics: Metrics; log: FastifyBaseLogger }) {
    this.#database = options.database;
    this.#metrics = options.metrics;
    this.#log = options.log;
  }

  start(): void {
    this.#loop ??= this.#work();
  }

  /** There is something to deliver. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Whether deliveries are seen to. */
  get healthy(): boolean {
    return performance.now() - this.#cameRoundAt < stuckAfterMs;
  }

  /** Finishes what is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await this.#loop;
  }

  async #work(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      let done = 0;
      try {
        const claimed = await this.#database.write<Claimed>(claim);
        done = claimed.length;
        await Promise.all(claimed.map((delivery) => this.#deliver(delivery)));
        this.#cameRoundAt = performance.now();
      } catch (error) {
        this.#log.warn({ code: codeOf(error) }, "webhooks could not be seen to");
      }
      if (done < batchSize && !this.#stop.signal.aborted) await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const timer = setTimeout(() => this.wake(), idlePauseMs);
    await this.#wake.promise;
    clearTimeout(timer);
    this.#wake = Promise.withResolvers<void>();
  }

  async #deliver(delivery: Claimed): Promise<void> {
    const result = await send(delivery);
    this.#metrics.deliveries.inc({ result: result.status });
    const again = result.status === "failed" && delivery.attempts < mostAttempts;
    await this.#database.write({
      name: "finish_delivery",
      text: `UPDATE webhook_deliveries
                SET status = $2::delivery_status, response_status = $3, error = $4, next_attempt_at = now() + $5 * interval '1 second',
                    delivered_at = CASE WHEN $2 = 'delivered' THEN now() END WHERE id = $1`,
      values: [delivery.id, again ? "pending" : result.status, result.responseStatus ?? null, result.error ?? null, 2 ** delivery.attempts],
    });
  }
}

/** Whether a URL leads to this machine, by its name alone: nothing is looked up. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && (hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname));
}

async function send({ url, secret, eventId, type, payload }: Claimed): Promise<Result> {
  if (!isLoopback(url)) return { status: "suppressed", error: "staging delivers to this machine alone" };
  const body = JSON.stringify({ id: eventId, type, payload });
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: {
        "content-type": "application/json",
        "x-architect-event": type,
        "x-architect-signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
      },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.ok ? { status: "delivered", responseStatus: response.status } : { status: "failed", responseStatus: response.status, error: `answered ${response.status}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return { status: "failed", error: codeOf(cause) };
  }
}
