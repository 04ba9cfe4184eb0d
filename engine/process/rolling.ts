import { documentHealth, waitUntilHealthy, type HealthSettings } from "../health/index.ts";
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
  /** How long to wait for that. Default document 004's. */
  readonly settings?: HealthSettings;
  readonly onProgress?: OnProgress;
}

/**
 * Takes one instance out of use, lets it finish, starts it again and waits until it is healthy.
 * @throws UnderstudyError (exit 3) when it does not become healthy: it stays out of use, and the others go on.
 */
export async function restartInstance(options: RestartInstance): Promise<void> {
  const { layout, name, healthUrl, drainFile, settings = documentHealth, onProgress = silent } = options;
  const restart = async () => {
    onProgress({ step: "restart", message: name });
    await restartService(layout, name);
    await waitUntilHealthy(
      { kind: "http", url: healthUrl },
      { name, settings, observe: () => serviceState(layout, name), logTail: () => logTail(layout, name), onProgress },
    );
  };
  await (drainFile === undefined ? restart() : whileDrained(drainFile, restart));
}
