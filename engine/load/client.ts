import { Pool } from "undici";

export interface LoadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Empty unless it was asked for. */
  readonly body: string;
}

export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Keep the body of the answer; it is read to its end either way. */
  readonly wantsBody: boolean;
}

export interface LoadClient {
  send(request: LoadRequest): Promise<LoadAnswer>;
  /** Ends connections and whatever is under way. */
  close(): Promise<void>;
}

const largestBodyBytes = 8 * 1024 ** 2;

/**
 * Kept connections to one origin, one request at a time on each; follows no redirect and tries nothing again, so that every failure
 * is seen. A stack's own certificate is taken as it is: others look at it.
 */
export function createLoadClient(origin: URL, options: { readonly connections: number; readonly timeoutMs: number }): LoadClient {
  const pool = new Pool(origin.origin, {
    connections: options.connections,
    pipelining: 1,
    connect: { rejectUnauthorized: false, timeout: Math.min(options.timeoutMs, 5_000) },
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    maxResponseSize: largestBodyBytes,
  });
  return {
    send: async ({ method, path, headers, body, wantsBody }) => {
      const answer = await pool.request({ method: method as "GET", path, headers, body });
      if (wantsBody) return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
      await answer.body.dump({ limit: largestBodyBytes });
      return { status: answer.statusCode, headers: answer.headers, body: "" };
    },
    close: () => pool.destroy(),
  };
}
