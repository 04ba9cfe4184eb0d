import { Agent, request } from "undici";
import { messageOf } from "../errors.ts";
import { ProbeFailure } from "./failure.ts";
import type { HttpHealth } from "./spec.ts";

const largestBodyBytes = 1_000_000;

/** TLS that will be as wrong the next time: verification, protocol, a plain server behind an https URL. */
const hopeless = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH)/;

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** GETs a URL; a connection of its own each time, closed afterwards. */
export async function get(
  url: string,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number; readonly ca?: string; readonly insecureTls?: boolean },
): Promise<HttpAnswer> {
  const { signal, timeoutMs, ca, insecureTls = false } = options;
  const agent = new Agent({
    connect: { timeout: timeoutMs, rejectUnauthorized: !insecureTls, ...(ca === undefined ? {} : { ca }) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  try {
    const { statusCode, body } = await request(url, { dispatcher: agent, signal, headers: { "user-agent": "understudy health" } });
    return { status: statusCode, body: await readBody(body) };
  } catch (cause) {
    throw new ProbeFailure(`GET ${url}: ${messageOf(cause).trim()}`, { permanent: hopeless.test(codeOf(cause)), cause });
  } finally {
    await agent.destroy();
  }
}

export async function probeHttp(spec: HttpHealth, signal: AbortSignal, timeoutMs: number): Promise<string> {
  const { url, expectStatus = 200, expectJson, ca, insecureTls } = spec;
  const { status, body } = await get(url, {
    signal,
    timeoutMs,
    ...(ca === undefined ? {} : { ca }),
    ...(insecureTls === undefined ? {} : { insecureTls }),
  });
  if (status !== expectStatus) {
    throw new ProbeFailure(`GET ${url}: status ${status}, expected ${expectStatus}: ${excerpt(body)}`);
  }
  if (expectJson !== undefined) expectFields(url, body, expectJson);
  return `GET ${url}: ${status}`;
}

function expectFields(url: string, body: string, expected: NonNullable<HttpHealth["expectJson"]>): void {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch (cause) {
    throw new ProbeFailure(`GET ${url}: the body is not JSON: ${excerpt(body)}`, { cause });
  }
  const wrong = Object.entries(expected)
    .filter(([path, value]) => fieldAt(document, path) !== value)
    .map(([path, value]) => `${path} is ${JSON.stringify(fieldAt(document, path)) ?? "missing"}, expected ${JSON.stringify(value)}`);
  if (wrong.length > 0) throw new ProbeFailure(`GET ${url}: ${wrong.join("; ")}: ${excerpt(body)}`);
}

function fieldAt(document: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined,
    document,
  );
}

async function readBody(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > largestBodyBytes) throw new Error(`the body is larger than ${largestBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function excerpt(body: string): string {
  const line = body.replaceAll(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line || "(empty body)";
}
