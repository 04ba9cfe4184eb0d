import { Agent, request } from "undici";

export interface LoadResult {
  readonly requests: number;
  readonly writes: number;
  readonly slowestMs: number;
  /** Each with when it began, in milliseconds since the epoch. */
  readonly failures: readonly { readonly startedAtMs: number; readonly endedAtMs: number; readonly what: string }[];
}

export interface LightLoad {
  /** `https://localhost:8080` */
  readonly baseUrl: string;
  readonly email: string;
  readonly password: string;
  readonly storySlug: string;
  /** At the same time. Default 6. */
  readonly visitors?: number;
}

/**
 * People on the stories app, some tens of requests a second, until it is stopped: pages, a page of their own, and orders.
 * Each has a session of its own, so that the sessions lie on every node of a cluster.
 */
export async function startLightLoad({ baseUrl, email, password, storySlug, visitors = 6 }: LightLoad): Promise<{ stop(): Promise<LoadResult> }> {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const stopped = new AbortController();
  const failures: { startedAtMs: number; endedAtMs: number; what: string }[] = [];
  let [requests, writes, slowestMs] = [0, 0, 0];
  const json = { "content-type": "application/json" };

  const cookies: string[] = [];
  for (let visitor = 0; visitor < visitors; visitor += 1) {
    const answer = await request(`${baseUrl}/api/auth/sign-in`, { dispatcher, method: "POST", headers: json, body: JSON.stringify({ email, password }) });
    const said = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`sign-in answered ${answer.statusCode}: ${said}`);
    cookies.push([answer.headers["set-cookie"] ?? []].flat().map((line) => line.split(";")[0]).join("; "));
  }
  const once = async (cookie: string, count: number): Promise<void> => {
    const startedAtMs = Date.now();
    const kind = count % 3;
    const fail = (what: string) => failures.push({ startedAtMs, endedAtMs: Date.now(), what });
    try {
      const answer =
        kind === 0
          ? await request(`${baseUrl}/api/orders`, { dispatcher, method: "POST", headers: { ...json, cookie }, body: JSON.stringify({ storySlug, copies: 1 }) })
          : await request(`${baseUrl}${kind === 1 ? "/dashboard" : "/stories"}`, { dispatcher, headers: { cookie } });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) fail(`${kind === 0 ? "POST" : "GET"} ${answer.statusCode} ${text.slice(0, 200)}`);
      if (kind === 0) writes += 1;
    } catch (error) {
      fail(String(error));
    }
    requests += 1;
    slowestMs = Math.max(slowestMs, Date.now() - startedAtMs);
  };
  const running = cookies.map(async (cookie, visitor) => {
    for (let count = visitor; !stopped.signal.aborted; count += 1) {
      await once(cookie, count);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
  });
  return {
    stop: async () => {
      stopped.abort();
      await Promise.all(running);
      await dispatcher.destroy();
      return { requests, writes, slowestMs, failures };
    },
  };
}
