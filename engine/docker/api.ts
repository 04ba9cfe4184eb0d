import { exitCode, messageOf, UnderstudyError } from "../errors.ts";

const defaultSocket = "/var/run/docker.sock";

/** Labels of everything that a stack has in a Docker engine. */
export const dockerLabels = {
  /** What `destroy` counts. */
  stackId: "understudy.stack-id",
  stack: "understudy.stack",
  service: "understudy.service",
  /** Changes with the files that a container reads. */
  files: "understudy.files",
} as const;

/** Where the engine listens, as Pulumi's provider looks for it: `DOCKER_HOST`, else the local socket. */
export function engineAddress(env: NodeJS.ProcessEnv = process.env): { readonly origin: string; readonly socketPath?: string } {
  const { DOCKER_HOST: host = `unix://${defaultSocket}` } = env;
  if (host.startsWith("unix://")) return { origin: "http://docker", socketPath: host.slice("unix://".length) };
  if (host.startsWith("tcp://")) return { origin: `http://${host.slice("tcp://".length)}` };
  throw new UnderstudyError(`DOCKER_HOST=${host} is of a kind that is not supported: services are published on this machine's loopback.`, {
    exitCode: exitCode.usage,
    remedy: "Use unix:///path/of/docker.sock, or unset it.",
  });
}

export interface EngineAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * One request to the Docker engine.
 * @throws UnderstudyError (exit 3) when it does not answer.
 */
export async function askEngine(path: string, options: { readonly method?: "GET" | "POST"; readonly timeoutMs?: number } = {}): Promise<EngineAnswer> {
  const { method = "GET", timeoutMs = 10_000 } = options;
  const { origin, socketPath } = engineAddress();
  const { Agent, request } = await import("undici");
  const dispatcher = new Agent({ connect: { timeout: timeoutMs, ...(socketPath === undefined ? {} : { socketPath }) }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  try {
    const { statusCode, body } = await request(`${origin}${path}`, { method, dispatcher });
    return { status: statusCode, body: Buffer.from(await body.arrayBuffer()) };
  } catch (cause) {
    throw new UnderstudyError(`The Docker engine at ${socketPath ?? origin} does not answer: ${messageOf(cause)}.`, {
      exitCode: exitCode.provisioning,
      remedy: "Start Docker, and see that you may use it (group docker), or name another engine in DOCKER_HOST.",
      cause,
    });
  } finally {
    await dispatcher.destroy();
  }
}

/** The engine's API version, such as 1.41; undefined where there is none to ask. */
export async function engineApiVersion(): Promise<number | undefined> {
  const answer = await askEngine("/version", { timeoutMs: 2_000 }).catch(() => undefined);
  if (answer?.status !== 200) return undefined;
  const { ApiVersion } = JSON.parse(answer.body.toString()) as { ApiVersion?: string };
  return ApiVersion === undefined ? undefined : Number(ApiVersion.split(".")[1]) / 100 + Number(ApiVersion.split(".")[0]);
}

/** An answer that goes on, as it comes, until it ends or is given up. */
export async function* streamFromEngine(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { origin, socketPath } = engineAddress();
  const { Agent, request } = await import("undici");
  const dispatcher = new Agent({ connect: socketPath === undefined ? {} : { socketPath }, bodyTimeout: 0 });
  try {
    const { body } = await request(`${origin}${path}`, { dispatcher, signal });
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await dispatcher.destroy();
  }
}
