import { readFileSync } from "node:fs";

/** `uid` and `gid` of an account (default `nobody`) for a child process, or nothing when we are not root ourselves. */
export function unprivileged(account = "nobody"): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entry = readFileSync("/etc/passwd", "utf8").split("\n").find((line) => line.startsWith(`${account}:`));
  const [, , uid, gid] = entry?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`running as root, and there is no user ${account}`);
  return { uid: Number(uid), gid: Number(gid) };
}
