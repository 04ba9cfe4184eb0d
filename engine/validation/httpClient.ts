import { Agent, request } from "undici";

export interface HttpAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly durationMs: number;
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

/** Follows no redirect, keeps no cookie: what the server said is what the check sees. */
export interface HttpClient {
  send(url: string, options?: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const largestBodyBytes = 8 * 1024 ** 2;

/**
 * A client for one run. It accepts any certificate, because a wrong certificate must fail the certificate's own checks and
 * not every other; those compare what is served with the stack's file.
 */
export function createHttpClient(options: { readonly timeoutMs?: number; readonly connections?: number } = {}): HttpClient {
  const { timeoutMs = 5_000, connections = 32 } = options;
  const agent = new Agent({
    connections,
    connect: { rejectUnauthorized: false, timeout: Math.min(timeoutMs, 3_000) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: largestBodyBytes,
  });
  return {
    send: async (url, { method = "GET", headers = {}, json, signal } = {}) => {
      const startedAt = performance.now();
      const answer = await request(url, {
        dispatcher: agent,
        method,
        headers: {
          "user-agent": "understudy-validation",
          accept: json !== undefined || new URL(url).pathname.startsWith("/api/") ? "application/json" : "text/html,*/*;q=0.8",
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body: json === undefined ? null : JSON.stringify(json),
        ...(signal === undefined ? {} : { signal }),
      });
      const body = await answer.body.text();
      return { url, status: answer.statusCode, headers: answer.headers, body, durationMs: performance.now() - startedAt };
    },
    close: () => agent.destroy(),
  };
}

/** The first value of a header, or nothing. */
export function headerOf(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name.toLowerCase()];
  return Array.isArray(value) ? value[0] : value;
}

/** Every `Set-Cookie` line of an answer. */
export function setCookiesOf(answer: HttpAnswer): string[] {
  const value = answer.headers["set-cookie"];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The body as JSON. @throws an error that says where it came from. */
export function jsonOf(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.body);
  } catch {
    throw new Error(`${answer.url} answered ${answer.status} with a body that is not JSON`);
  }
}

/** Whether the answer claims to be HTML. */
export function isHtml(answer: HttpAnswer): boolean {
  return headerOf(answer, "content-type")?.startsWith("text/html") === true;
}
