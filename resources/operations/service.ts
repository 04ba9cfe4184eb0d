import { createHash } from "node:crypto";
import { chmod, cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { HealthSpec, HealthSettings } from "../../engine/health/index.ts";
import { accountFor, assertCanEnter, type Account } from "../../engine/process/account.ts";
import { ensureCluster, type Cluster } from "../../engine/process/cluster.ts";
import { whileDrained } from "../../engine/process/drain.ts";
import { resolveProgram } from "../../engine/process/executables.ts";
import { layoutOf, type StackLayout } from "../../engine/process/layout.ts";
import { logTail, reloadService, removeService, serviceState, startService, stopService, type LogPolicy, type ServiceDefinition, type ServiceFile } from "../../engine/process/service.ts";
import { ensureStandby, isStandby, type Standby } from "../../engine/process/standby.ts";
import { secretsOf } from "../../engine/redact.ts";
import type { OnProgress } from "../../engine/progress.ts";
import { HalfMade, operationsOf, progressLines } from "../operations.ts";

/** A folder of the checkout, copied into the service's configuration folder. */
export interface Tree {
  readonly from: string;
  readonly to: string;
  readonly hash: string;
}

/** A TypeScript entry, bundled into the stack's folder. */
export interface Bundle {
  readonly entry: string;
  readonly outfile: string;
  readonly sourceHash: string;
}

export interface ServiceInputs {
  readonly stackId: string;
  readonly name: string;
  /** Name or absolute path; see `resolveProgram`. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly accounts: readonly string[];
  readonly ports: Readonly<Record<string, number>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly ServiceFile[];
  readonly secretFiles: readonly ServiceFile[];
  readonly trees: readonly Tree[];
  readonly bundle?: Bundle;
  /** Absolute; a command of the user's own begins there. */
  readonly workingFolder?: string;
  readonly cluster?: Cluster;
  readonly standby?: Standby;
  /** While this file is there the proxy sends it nothing new. */
  readonly drainFile?: string;
  readonly logs: LogPolicy;
  readonly stopSignal: "SIGTERM" | "SIGINT" | "SIGQUIT";
  /** Sent instead of a restart where nothing but files changed. */
  readonly reloadSignal?: "SIGHUP";
  readonly probe: HealthSpec;
  readonly health: HealthSettings;
}

export interface ServiceOutputs {
  readonly running: boolean;
  /** Changes whenever what runs changes. */
  readonly fingerprint: string;
}

function fingerprintOf(inputs: ServiceInputs): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
}

async function prepare(layout: StackLayout, inputs: ServiceInputs, account: Account | undefined): Promise<void> {
  const { name, trees, bundle, cluster, standby } = inputs;
  if (cluster !== undefined) await ensureCluster(cluster, account);
  if (standby !== undefined) await ensureStandby(standby, account, () => stopService(layout, name));
  if (bundle !== undefined) {
    const { bundleApp } = await import("../../engine/process/bundle.ts");
    await bundleApp(bundle.entry, bundle.outfile);
  }
  for (const tree of trees) {
    const target = join(layout.config(name), tree.to);
    await mkdir(target, { recursive: true });
    await cp(tree.from, target, { recursive: true, force: true });
    await chmod(target, 0o755);
  }
}

async function definitionOf(layout: StackLayout, inputs: ServiceInputs, account: Account | undefined): Promise<ServiceDefinition> {
  return {
    name: inputs.name,
    argv: [await resolveProgram(inputs.program, layout, account), ...inputs.arguments],
    environment: inputs.environment,
    files: [...inputs.files, ...inputs.secretFiles],
    account,
    logs: inputs.logs,
    stopSignal: inputs.stopSignal,
  };
}

async function awaitHealth(layout: StackLayout, inputs: ServiceInputs): Promise<void> {
  const { waitUntilHealthy } = await import("../../engine/health/index.ts");
  await waitUntilHealthy(inputs.probe, {
    name: inputs.name,
    settings: inputs.health,
    observe: () => serviceState(layout, inputs.name),
    logTail: () => logTail(layout, inputs.name),
    secrets: secretsOf(inputs.environment),
    onProgress: afterMs(patienceBeforeTellingMs, progressLines(inputs.name)),
  });
}

/** That a service which has just been started does not answer yet is no news. */
const patienceBeforeTellingMs = 5_000;

function afterMs(delayMs: number, onProgress: OnProgress): OnProgress {
  const startedAt = Date.now();
  return (event) => {
    if (Date.now() - startedAt >= delayMs) onProgress(event);
  };
}

async function start(inputs: ServiceInputs): Promise<ServiceOutputs> {
  const layout = layoutOf(inputs.stackId);
  const account = await accountFor(inputs.accounts);
  if (inputs.workingFolder !== undefined) await assertCanEnter(inputs.workingFolder, account);
  const definition = await definitionOf(layout, inputs, account);
  await prepare(layout, inputs, account);
  const begin = async () => {
    await startService(layout, definition);
    await awaitHealth(layout, inputs).catch((error: unknown) => {
      throw new HalfMade(idOf(inputs), { ...inputs, running: false, fingerprint: fingerprintOf(inputs) }, error);
    });
  };
  await (inputs.drainFile === undefined ? begin() : whileDrained(inputs.drainFile, begin));
  return { running: true, fingerprint: fingerprintOf(inputs) };
}

function idOf({ stackId, name }: ServiceInputs): string {
  return `${stackId}/${name}`;
}

/** What a process cannot take up while it runs. */
function restartKey({ program, arguments: argv, environment, bundle, cluster, accounts, logs }: ServiceInputs): string {
  return JSON.stringify([program, argv, environment, bundle, cluster, accounts, logs]);
}

export const operations = operationsOf<ServiceInputs, ServiceOutputs>({
  replaceOn: ["stackId", "name", "ports"],
  updateOn: ["program", "arguments", "accounts", "environment", "files", "secretFiles", "trees", "bundle", "cluster", "standby", "logs", "stopSignal", "reloadSignal", "probe", "health"],
  stale: ({ running }) => !running,
  async create(inputs) {
    return { id: idOf(inputs), outputs: await start(inputs) };
  },
  async update(_id, olds, news) {
    const canReload = news.reloadSignal !== undefined && olds.running && restartKey(olds) === restartKey(news);
    if (!canReload) return start(news);
    const layout = layoutOf(news.stackId);
    const account = await accountFor(news.accounts);
    await prepare(layout, news, account);
    await reloadService(layout, await definitionOf(layout, news, account), news.reloadSignal);
    await awaitHealth(layout, news);
    return { running: true, fingerprint: fingerprintOf(news) };
  },
  async read(_id, { stackId, name, standby, fingerprint }) {
    const { up } = await serviceState(layoutOf(stackId), name);
    // A promoted replica runs, but not as what it should be.
    return { running: up && (standby === undefined || (await isStandby(standby))), fingerprint };
  },
  async delete(_id, { stackId, name }) {
    await removeService(layoutOf(stackId), name);
  },
});
