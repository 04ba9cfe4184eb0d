import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { exitCode, messageOf, UnderstudyError } from "../../engine/errors.ts";
import { engineAddress, engineApiVersion } from "../../engine/docker/api.ts";
import { layoutOf, stackId, stateRoot } from "../../engine/process/layout.ts";
import { portConflicts } from "../../engine/process/leases.ts";
import { isSupervisorUp } from "../../engine/process/supervisor.ts";
import { effectivePorts, openPorts, parseConfig } from "../../config.ts";
import { findEngine } from "../../tools/engine.ts";
import { findProgram } from "../../engine/process/findProgram.ts";
import { systemPackages } from "../../tools/packages.ts";
import { styled, table } from "../console.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";
import { readEffectiveEntries } from "../stackFile.ts";

interface Finding {
  readonly what: string;
  readonly state: "ok" | "missing" | "note";
  readonly detail: string;
}

const leastFreeBytes = 2 * 1024 ** 3;

export const addDoctor: AddCommand = (program, { console }) => {
  const command = program
    .command("doctor")
    .description("what this machine has and lacks for a stack; exit 3 when something is missing")
    .action(async () => {
      const { stack: name, json } = globalsOf(command);
      const findings = [...(await engine()), ...packages(), ...(await disk()), ...(await configuration(name)), ...(await running(name))];
      const style = { ok: "green", missing: "red", note: "yellow" } as const;
      if (json) console.result(JSON.stringify(findings, null, 2));
      else console.result(table(findings.map(({ what, state, detail }) => [styled(console, style[state], state.padEnd(7)), what, detail])));
      const missing = findings.filter(({ state }) => state === "missing");
      if (missing.length > 0) {
        throw new UnderstudyError(`${missing.length} thing(s) are missing: ${missing.map(({ what }) => what).join(", ")}.`, {
          exitCode: exitCode.provisioning,
          remedy: "Run: make setup",
        });
      }
    });
};

async function engine(): Promise<Finding[]> {
  const node: Finding = { what: "Node", state: "ok", detail: `${process.version}, ${process.execPath}` };
  try {
    const { version, origin, pulumiPath } = await findEngine({ root: project.root });
    return [node, { what: "Pulumi engine", state: "ok", detail: `${version} (${origin}), ${pulumiPath}` }];
  } catch (error) {
    return [node, { what: "Pulumi engine", state: "missing", detail: messageOf(error) }];
  }
}

function packages(): Finding[] {
  return systemPackages.map(({ name, provenBy, purpose, profile }) => {
    const found = provenBy.map((program) => findProgram(program)).find((path) => path !== undefined);
    if (found !== undefined) return { what: name, state: "ok", detail: found };
    return { what: name, state: profile === "test" || profile === "pooling" ? "note" : "missing", detail: purpose };
  });
}

async function disk(): Promise<Finding[]> {
  const places = [stateRoot(), project.root];
  return Promise.all(
    places.map(async (place): Promise<Finding> => {
      const { bavail, bsize } = await statfs(await nearestExisting(place));
      const freeBytes = bavail * bsize;
      const free = `${(freeBytes / 1024 ** 3).toFixed(1)} GB free`;
      return freeBytes < leastFreeBytes
        ? { what: `disk ${place}`, state: "missing", detail: `${free}; a stack wants ${leastFreeBytes / 1024 ** 3} GB` }
        : { what: `disk ${place}`, state: "ok", detail: free };
    }),
  );
}

async function nearestExisting(path: string): Promise<string> {
  const there = await access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
  return there ? path : nearestExisting(dirname(path));
}

async function configuration(name: string): Promise<Finding[]> {
  try {
    const config = parseConfig(await readEffectiveEntries(project, name));
    const ports = openPorts(config, effectivePorts(config, config.portOffset === "auto" ? 0 : config.portOffset), false);
    const conflicts = config.portOffset === "auto" ? [] : await portConflicts(stackId(name, project.root), ports);
    return [
      { what: `configuration of ${name}`, state: "ok", detail: `workload ${config.workload}, platform ${config.platform}` },
      ...(config.platform === "docker" ? await docker() : []),
      ...conflicts.map(({ service, port, holder }): Finding => ({ what: `port ${port}`, state: "missing", detail: `wanted for ${service}, held by ${holder}` })),
    ];
  } catch (error) {
    return [{ what: `configuration of ${name}`, state: "missing", detail: messageOf(error) }];
  }
}

async function docker(): Promise<Finding[]> {
  const version = await engineApiVersion();
  const { socketPath, origin } = engineAddress();
  const plugins = ["docker", "random"].map((name): Finding => {
    const found = findProgram(`pulumi-resource-${name}`);
    return { what: `Pulumi plugin ${name}`, state: found === undefined ? "note" : "ok", detail: found ?? "not on PATH: the engine fetches it from Pulumi's download site, unless it has done so before" };
  });
  const answer: Finding =
    version === undefined
      ? { what: "Docker engine", state: "missing", detail: `nobody answers at ${socketPath ?? origin}` }
      : { what: "Docker engine", state: "ok", detail: `API ${version.toFixed(2)}, ${socketPath ?? origin}` };
  return [answer, ...plugins];
}

async function running(name: string): Promise<Finding[]> {
  const layout = layoutOf(stackId(name, project.root));
  const up = await isSupervisorUp(layout);
  return [{ what: `stack ${name}`, state: "note", detail: up ? `up, in ${layout.folder}` : "not up" }];
}
