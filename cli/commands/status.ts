import { statSync } from "node:fs";
import { globalsOf, type AddCommand } from "../context.ts";
import { seconds, styled, table, type Console } from "../console.ts";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { isSupervisorUp } from "../../engine/process/supervisor.ts";
import { deployedStack, type DeployedStack } from "../target.ts";
import { topologyOf, type TopologyPart } from "../topology.ts";

interface ServiceRow {
  readonly name: string;
  readonly up: boolean;
  readonly port: number;
  readonly pid?: number;
  readonly uptimeMs?: number;
  readonly restarts: number;
  readonly rssBytes?: number;
}

export const addStatus: AddCommand = (program, { console }) => {
  const command = program
    .command("status")
    .description("what runs: every service, its port, process, uptime and memory; exit 6 when one is down")
    .action(async () => {
      const { stack: name, json } = globalsOf(command);
      const stack = await deployedStack(name);
      // On Docker the engine supervises; where it does not answer, asking for the services says so.
      const supervisor = stack.target.platform === "docker" || (await isSupervisorUp(stack.layout));
      const services = await Promise.all(
        stack.target.services.map(async (service): Promise<ServiceRow> => ({ name: service.name, port: service.port, ...(await service.state()) })),
      );
      const topology = await topologyOf(stack.target);
      if (json) console.result(JSON.stringify({ stack: name, supervisor, services, topology, reports: stack.reports }, null, 2));
      else console.result(asText(console, stack, { supervisor, services, topology }));
      const down = services.filter(({ up }) => !up);
      if (down.length > 0 || !supervisor) {
        throw new UnderstudyError(supervisor ? `Down: ${down.map(({ name }) => name).join(", ")}.` : "The supervisor does not run.", {
          exitCode: exitCode.drift,
          remedy: `Bring it back with: understudy up --stack ${name}`,
        });
      }
      const wrong = topology.filter(({ ok }) => !ok);
      if (wrong.length > 0) {
        throw new UnderstudyError(`Not as it should be: ${wrong.map(({ part, detail }) => `${part}: ${detail}`).join("; ")}.`, {
          exitCode: exitCode.drift,
          remedy: `Bring it back with: understudy up --stack ${name}`,
        });
      }
    });
};

interface Seen {
  readonly supervisor: boolean;
  readonly services: readonly ServiceRow[];
  readonly topology: readonly TopologyPart[];
}

function asText(console: Console, stack: DeployedStack, { supervisor, services, topology }: Seen): string {
  const rows = services.map(({ name, up, port, pid, uptimeMs, restarts, rssBytes }) => [
    styled(console, up ? "green" : "red", up ? "up  " : "down"),
    name,
    String(port),
    pid === undefined ? "-" : String(pid),
    uptimeMs === undefined ? "-" : seconds(uptimeMs),
    rssBytes === undefined ? "-" : `${(rssBytes / 1024 ** 2).toFixed(0)} MB`,
    restarts === 0 ? "" : `${restarts} restart(s)`,
  ]);
  const reports = Object.entries(stack.reports).map(([kind, path]) => ["", kind, path, age(path)]);
  return [
    `Stack ${stack.name} (${stack.workload.manifest.title}), ${stack.target.platform === "docker" ? "Docker engine" : "supervisor"} ${supervisor ? "up" : styled(console, "red", "down")}`,
    "",
    table([["    ", "service", "port", "pid", "uptime", "memory", ""], ...rows]),
    "",
    ...(topology.length === 0 ? [] : [table(topology.map(({ part, ok, detail }) => [styled(console, ok ? "green" : "red", ok ? "ok  " : "bad "), part, detail])), ""]),
    table(reports),
    "",
    `${stack.urls["app"] ?? ""}`,
  ].join("\n");
}

function age(path: string): string {
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (mtimeMs === undefined) return "(deleted)";
  const minutes = Math.round((Date.now() - mtimeMs) / 60_000);
  return minutes < 120 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}
