import { waitUntilHealthy } from "../health/index.ts";
import { silent, type OnProgress } from "../progress.ts";
import { whileDrained } from "./drain.ts";
import type { StackLayout } from "./layout.ts";
import { logTail, restartService, serviceState } from "./service.ts";

export interface RestartInstance {
  readonly layout: StackLayout;
  readonly name: string;
  /** Answers 200 when the instance is ready. */
  readonly healthUrl: string;
  /** Keeps the proxy from sending anything new; undefined where there is no other instance. */
  readonly drainFile: string | undefined;
  readonly onProgress?: OnProgress;
}

/**
 * Takes one instance out of use, lets it finish, starts it again and waits until it is healthy.
 * @throws UnderstudyError (exit 3) when it does not become healthy: it stays out of use, and the others go on.
 */
export async function restartInstance(options: RestartInstance): Promise<void> {
  const { layout, name, healthUrl, drainFile, onProgress = silent } = options;
  const restart = async () => {
    onProgress({ step: "restart", message: name });
    await restartService(layout, name);
    await waitUntilHealthy(
      { kind: "http", url: healthUrl },
      { name, observe: () => serviceState(layout, name), logTail: () => logTail(layout, name), onProgress },
    );
  };
  await (drainFile === undefined ? restart() : whileDrained(drainFile, restart));
}
