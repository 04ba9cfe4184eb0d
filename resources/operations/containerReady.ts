import { containerLog, inspectContainer, observeContainer } from "../../engine/docker/containers.ts";
import type { HealthSettings, HealthSpec } from "../../engine/health/index.ts";
import { HalfMade, operationsOf, progressLines } from "../operations.ts";

export interface ContainerReadyInputs {
  /** Of the service, for people. */
  readonly name: string;
  readonly container: string;
  /** The engine's own: another one for another container. */
  readonly containerId: string;
  readonly probe: HealthSpec;
  readonly health: HealthSettings;
}

export interface ContainerReadyOutputs {
  readonly ready: boolean;
  /** Changes whenever what runs changes. */
  readonly fingerprint: string;
}

const logLines = 20;

async function waitFor(inputs: ContainerReadyInputs): Promise<ContainerReadyOutputs> {
  const { name, container, containerId, probe, health } = inputs;
  const fingerprint = containerId.slice(0, 16);
  const { waitUntilHealthy } = await import("../../engine/health/index.ts");
  await waitUntilHealthy(probe, {
    name,
    settings: health,
    observe: () => observeContainer(container),
    logTail: () => containerLog(container, logLines),
    onProgress: progressLines(name),
  }).catch((error: unknown) => {
    throw new HalfMade(container, { ...inputs, ready: false, fingerprint }, error);
  });
  return { ready: true, fingerprint };
}

export const operations = operationsOf<ContainerReadyInputs, ContainerReadyOutputs>({
  updateOn: ["containerId", "probe", "health"],
  stale: ({ ready }) => !ready,
  async create(inputs) {
    return { id: inputs.container, outputs: await waitFor(inputs) };
  },
  update: (_id, _olds, news) => waitFor(news),
  async read(_id, { container, fingerprint }) {
    const state = await inspectContainer(container);
    return { ready: state?.running === true && state.health !== "unhealthy", fingerprint };
  },
});
