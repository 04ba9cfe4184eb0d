import { randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckContext } from "./check.ts";
import type { AccessLog } from "./target.ts";

/**
 * Document 004's format to the letter:
 * `$time_iso8601 [STAGING] $remote_addr "$request" $status $request_time $upstream_response_time "$http_user_agent"`.
 */
export const stagingLogLine =
  /^(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d) \[STAGING\] (?<address>\S+) "(?<request>[^"]*)" (?<status>\d{3}) (?<requestTime>\d+\.\d{3}) (?<upstreamTime>-|\d+\.\d{3}(?:(?:, | : )(?:-|\d+\.\d{3}))*) "(?<agent>[^"]*)"$/;

const tailBytes = 128 * 1024;
const patienceMs = 2_000;

/** The line of an access log that a request of our own has left, found by its user agent; nothing when it never comes. */
export async function lineOfOwnRequest(context: CheckContext, log: AccessLog, path: string): Promise<string | undefined> {
  const agent = `understudy-validation/${randomUUID()}`;
  await context.http.send(new URL(path, context.target.httpsUrl).href, { headers: { "user-agent": agent }, signal: context.signal });
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const line = (await log.tail()).split("\n").find((candidate) => candidate.includes(agent));
    if (line !== undefined || performance.now() > deadline) return line;
    await sleep(50, undefined, { signal: context.signal });
  }
}

/** A log in a file. */
export function logFileTail(file: string): AccessLog {
  return { name: file, tail: () => tail(file) };
}

async function tail(file: string): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read({ position: Math.max(0, size - tailBytes), buffer: Buffer.alloc(Math.min(size, tailBytes) || 1) });
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
