import { chmod, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** What the proxy had chosen the instance for when the flag came is on its way to it after that. */
const settleMs = 300;

/**
 * Runs `work` while the proxy sends nothing new to an instance. An instance that did not come back well stays out of use,
 * until a later run brings it back.
 * @param flag absolute; the proxy leaves the instance out for as long as this file is there. Without a proxy nobody asks for it.
 */
export async function whileDrained<Result>(flag: string, work: () => Promise<Result>): Promise<Result> {
  const hasProxy = await writeFile(flag, "").then(
    () => chmod(flag, 0o644).then(() => true),
    () => false,
  );
  if (hasProxy) await sleep(settleMs);
  const result = await work();
  await rm(flag, { force: true });
  return result;
}
