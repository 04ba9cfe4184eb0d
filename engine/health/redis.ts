import { randomUUID } from "node:crypto";
import { createClient } from "redis";
import { messageOf } from "../errors.ts";
import { ProbeFailure } from "./failure.ts";
import type { RedisHealth } from "./spec.ts";

/** Answers that no waiting changes; LOADING and a connection refused are "not yet". */
const hopeless = /^(WRONGPASS|NOAUTH|NOPERM|READONLY|OOM|MISCONF)\b|invalid (username-)?password|without any password configured/i;

export async function probeRedis(spec: RedisHealth, signal: AbortSignal, timeoutMs: number): Promise<string> {
  const { url, host = "127.0.0.1", port = 6379, password } = spec;
  const socket = { connectTimeout: timeoutMs, reconnectStrategy: false as const };
  const client = createClient(
    url === undefined
      ? { socket: { ...socket, host, port }, ...(password === undefined ? {} : { password }) }
      : { url, socket },
  );
  const where = url === undefined ? `redis://${host}:${port}` : withoutPassword(url);
  client.on("error", () => {});
  const stop = (): void => client.destroy();
  signal.addEventListener("abort", stop, { once: true });
  const key = `understudy:health:${randomUUID()}`;
  try {
    await client.connect();
    if (spec.clusterNode === true) {
      if (!/cluster_enabled:1/.test(await client.info("cluster"))) throw new Error("it is not a node of a cluster");
      return `a cluster's node answers at ${where}`;
    }
    await client.set(key, "written", { expiration: { type: "EX", value: 60 } });
    const read = await client.get(key);
    const deleted = await client.del(key);
    if (read !== "written" || deleted !== 1) throw new Error(`a key written reads back as ${String(read)}`);
    return `wrote, read and deleted a key at ${where}`;
  } catch (cause) {
    const message = messageOf(cause) || "connection refused";
    throw new ProbeFailure(`${where}: ${message}`, { permanent: hopeless.test(message), cause });
  } finally {
    signal.removeEventListener("abort", stop);
    if (client.isOpen) client.destroy();
  }
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return "the redis url";
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
