import { connect } from "node:net";
import { messageOf } from "../errors.ts";
import { ProbeFailure } from "./failure.ts";
import type { TcpHealth } from "./spec.ts";

export async function probeTcp({ host, port }: TcpHealth, signal: AbortSignal): Promise<string> {
  const socket = connect({ host, port, signal });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return `${host}:${port} accepts connections`;
  } catch (cause) {
    throw new ProbeFailure(`${host}:${port}: ${messageOf(cause)}`, { cause });
  } finally {
    socket.destroy();
  }
}
