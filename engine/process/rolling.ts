import { containerLog, observeContainer, restartContainer } from "../docker/containers.ts";
import { documentHealth, waitUntilHealthy, type HealthSettings, type SupervisorState } from "../health/index.ts";
import { silent, type OnProgress } from "../progress.ts";
import { whileDrained } from "./drain.ts";
import type { StackLayout } from "./layout.ts";
import { logTail, restartService, serviceState } from "./service.ts";

export interface RestartInstance {
  readonly layout: StackLayout;
  /** What it is called where it runs in a container. */
  readonly container?: string | undefined;
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
  const { name, healthUrl, drainFile, settings = documentHealth, onProgress = silent } = options;
  const control = controlOf(options);
  const restart = async () => {
    onProgress({ step: "restart", message: name });
    await control.restart();
    await waitUntilHealthy(
      { kind: "http", url: healthUrl },
      { name, settings, observe: control.observe, logTail: control.logTail, onProgress },
    );
  };
  await (drainFile === undefined ? restart() : whileDrained(drainFile, restart));
}

/** Who starts an instance and knows of it: the supervisor, or the container engine. */
interface Control {
  restart(): Promise<void>;
  observe(): Promise<SupervisorState>;
  logTail(): Promise<readonly string[]>;
}

const graceSeconds = 8;
const logLines = 20;

function controlOf({ layout, name, container }: RestartInstance): Control {
  if (container === undefined) {
    return { restart: () => restartService(layout, name), observe: () => serviceState(layout, name), logTail: () => logTail(layout, name) };
  }
  return { restart: () => restartContainer(container, graceSeconds), observe: () => observeContainer(container), logTail: () => containerLog(container, logLines) };
}
