import { readFile, readdir } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultPorts } from "../../config.ts";
import { askEngine, engineAddress, engineApiVersion } from "../../engine/docker/api.ts";
import { inspectContainer } from "../../engine/docker/containers.ts";
import { dockerLeftovers } from "../../engine/docker/leftovers.ts";
import { findProgram } from "../../engine/process/findProgram.ts";
import { stackId } from "../../engine/process/layout.ts";
import { builtTag, debianImages } from "../../tools/images/catalog.ts";
import type { ImageName } from "../../engine/docker/imageNames.ts";
import { get, outputsOf, projectRoot, understudy, understudyOk, type Finished, type Outputs } from "../support/understudy.ts";

const stack = "e2e-docker";
const id = stackId(stack, projectRoot);
const builtNames = Object.keys(debianImages) as ImageName[];

/** Why this cannot be run here. */
async function whyNot(): Promise<string | undefined> {
  for (const plugin of ["pulumi-resource-docker", "pulumi-resource-random"]) {
    if (findProgram(plugin) === undefined) return `${plugin} is in no registry and not on PATH`;
  }
  if ((await engineApiVersion()) === undefined) return "no Docker engine answers";
  for (const name of builtNames) {
    if ((await askEngine(`/images/${builtTag(name)}/json`)).status !== 200) return `image ${builtTag(name)} is not there: node tools/images/main.ts build`;
  }
  return undefined;
}
const skipped = await whyNot();

const settings = [
  ["platform", "docker"],
  ["portOffset", "auto"],
  ["monitoring.grafana", "false"],
  ...builtNames.map((name) => [`images.${name}`, builtTag(name)] as const),
].flatMap(([key, value]) => ["--set", `${key}=${value}`]);

interface Inspected {
  readonly Name: string;
  readonly Config: { readonly User: string; readonly Env: readonly string[] | null };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[];
    readonly SecurityOpt: readonly string[];
    readonly Memory: number;
    readonly NanoCpus: number;
    readonly RestartPolicy: { readonly Name: string };
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;
  };
}

async function post(path: string, method: "POST" | "DELETE", body?: object): Promise<number> {
  const { origin, socketPath } = engineAddress();
  const dispatcher = new Agent({ connect: socketPath === undefined ? {} : { socketPath } });
  const answer = await request(`${origin}${path}`, { method, dispatcher, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  await answer.body.dump();
  await dispatcher.destroy();
  return answer.statusCode;
}

const containerNames = async (): Promise<string[]> => {
  const filters = encodeURIComponent(JSON.stringify({ label: [`understudy.stack-id=${id}`] }));
  const found = JSON.parse((await askEngine(`/containers/json?all=1&filters=${filters}`)).body.toString()) as { Names: string[] }[];
  return found.map(({ Names }) => (Names[0] ?? "").slice(1)).sort();
};
const inspect = async (name: string) => JSON.parse((await askEngine(`/containers/${name}/json`)).body.toString()) as Inspected;
const called = (service: string) => `1001-stories-${service}-${stack}`;

async function until<Result>(timeoutMs: number, look: () => Promise<Result | undefined>): Promise<Result> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`not seen within ${timeoutMs} ms`);
    await sleep(100);
  }
}

describe.skipIf(skipped !== undefined)(`a stack on the real Docker${skipped === undefined ? "" : ` (skipped: ${skipped})`}`, () => {
  let up: Finished;
  let outputs: Outputs;
  let offset: number;
  const [loadBefore = 0] = loadavg();
  beforeAll(async () => {
    await understudy("destroy", "--stack", stack, "--yes", "--purge");
    up = await understudyOk("up", "--stack", stack, ...settings);
    outputs = await outputsOf(stack);
    offset = (outputs.ports["https"] ?? 0) - defaultPorts.https;
  });
  afterAll(async () => {
    await understudy("destroy", "--stack", stack, "--yes", "--purge");
  });

  it("is up and validated in under a minute, its images there", (context) => {
    expect(up.stdout).toContain(`ready stack ${stack}`);
    if (loadBefore > availableParallelism()) context.skip(`took ${Math.round(up.durationMs / 1_000)} s on a machine with other work: load ${loadBefore.toFixed(1)} on ${availableParallelism()} cores`);
    expect(up.durationMs).toBeLessThan(60_000);
  });

  it("has document 004's containers, ports, network and volumes, on loopback alone", async () => {
    expect(await containerNames()).toEqual(
      ["alertmanager", "app", "db", "nginx", "nginx-exporter", "node-exporter", "postgres-exporter", "prometheus", "redis", "redis-exporter", "source"].map(called).sort(),
    );
    const published = (await Promise.all((await containerNames()).map(inspect))).flatMap(({ Name, HostConfig }) =>
      Object.entries(HostConfig.PortBindings).flatMap(([inside, bindings]) => bindings.map(({ HostIp, HostPort }) => ({ name: Name.slice(1), inside, ip: HostIp, port: Number(HostPort) - offset }))),
    );
    for (const { ip, name } of published) expect(ip, name).toBe("127.0.0.1");
    for (const [service, inside, port] of [["nginx", undefined, 8080], ["nginx", undefined, 8081], ["app", "3000/tcp", 3001], ["db", "5432/tcp", 5434], ["redis", "6379/tcp", 6380], ["prometheus", undefined, 9091]] as const) {
      expect(published.some((one) => one.name === called(service) && one.port === port && (inside === undefined || one.inside === inside)), `${service} ${port}`).toBe(true);
    }
    const left = await dockerLeftovers(id);
    expect(left).toContain("volume postgres_e2e_docker_data");
    expect(left).toContain("volume redis_e2e_docker_data");
    expect(left).toContain(`network 1001-stories-${stack}`);
  });

  it("keeps every container in its bounds, and every secret out of what the engine shows", async () => {
    const secrets = Object.entries(outputs.environment).flatMap(([name, value]) => {
      if (name === "NEXTAUTH_URL" || name.startsWith("UNDERSTUDY_")) return [];
      return [value.includes("://") ? decodeURIComponent(new URL(value).password) : value].filter((text) => text.length >= 16);
    });
    expect(secrets.length).toBeGreaterThanOrEqual(3);
    for (const name of await containerNames()) {
      const seen = await inspect(name);
      expect(seen.Config.User, name).toMatch(/^[1-9]\d*:\d+$/);
      expect(seen.HostConfig, name).toMatchObject({ ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges:true"], RestartPolicy: { Name: "unless-stopped" } });
      expect(seen.HostConfig.Memory, name).toBeGreaterThan(0);
      expect(seen.HostConfig.NanoCpus, name).toBeGreaterThan(0);
      const text = JSON.stringify(seen);
      for (const secret of secrets) expect(text.includes(secret), name).toBe(false);
    }
  });

  it("is healthy, through nginx and by the engine's own checks", async () => {
    const { status, text } = await get(outputs.urls["health"] ?? "");
    expect({ status, health: (JSON.parse(text) as { status: string }).status }).toEqual({ status: 200, health: "healthy" });
    for (const name of await containerNames()) {
      // An old engine looks for the first time after 15 s.
      await until(40_000, async () => ((await inspectContainer(name))?.health === "healthy" ? true : undefined));
    }
  });

  it("is validated by the same checks as on this machine without Docker", async () => {
    const name = (await readdir(join(projectRoot, "staging-backups"))).filter((file) => file.startsWith(`staging-validation-report-${stack}-`) && file.endsWith(".json")).sort().at(-1);
    const report = JSON.parse(await readFile(join(projectRoot, "staging-backups", name ?? ""), "utf8")) as { verdict: string; checks: { id: string; status: string; category: string }[] };
    expect(report.verdict).toBe("passed");
    expect(report.checks.filter(({ status }) => status !== "passed").map(({ id: check, status }) => `${check} ${status}`).sort()).toEqual([
      "infrastructure.data-folders skipped",
      "infrastructure.grafana skipped",
    ]);
    expect(report.checks.length).toBeGreaterThanOrEqual(88);
    expect([...new Set(report.checks.map(({ category }) => category))].sort()).toEqual(["application", "database", "infrastructure", "integration", "performance", "security"]);
  });

  it("changes nothing when it is previewed, looked at or deployed again", async () => {
    await understudyOk("preview", "--stack", stack, "--expect-no-changes");
    await understudyOk("refresh", "--stack", stack);
    await understudyOk("preview", "--stack", stack, "--expect-no-changes");
    expect((await understudyOk("up", "--stack", stack)).stdout).toContain("nothing changed");
  });

  it("brings back a container that was killed, by itself", async () => {
    const before = (await inspectContainer(called("redis")))?.pid ?? 0;
    process.kill(before, "SIGKILL");
    const after = await until(10_000, async () => {
      const state = await inspectContainer(called("redis"));
      return state?.pid !== undefined && state.pid !== before ? state : undefined;
    });
    expect(after.restarts).toBeGreaterThanOrEqual(1);
  });

  it("brings back with up what somebody stopped or removed", async () => {
    expect(await post(`/containers/${called("alertmanager")}?force=1`, "DELETE")).toBe(204);
    expect(await post(`/containers/${called("app")}/stop`, "POST")).toBe(204);
    expect((await understudy("status", "--stack", stack)).code).toBe(6);
    await understudyOk("up", "--stack", stack);
    expect((await understudy("status", "--stack", stack)).code).toBe(0);
  });

  it("obeys logs, restart and maintenance", async () => {
    expect((await understudyOk("logs", "database", "--lines", "500", "--stack", stack)).stdout).toContain("database system is ready to accept connections");
    expect((await understudyOk("logs", "proxy/access", "--stack", stack)).stdout).toContain("[STAGING]");
    const before = (await inspectContainer(called("app")))?.pid;
    await understudyOk("restart", "app", "--stack", stack);
    expect((await inspectContainer(called("app")))?.pid).not.toBe(before);
    await understudyOk("maintenance", "on", "--stack", stack);
    expect((await get(`${outputs.urls["app"]}/stories`)).status).toBe(503);
    await understudyOk("maintenance", "off", "--stack", stack);
    expect((await get(`${outputs.urls["app"]}/stories`)).status).toBe(200);
  });

  it("leaves nothing behind, and says what is left when something is", async () => {
    expect(await post("/volumes/create", "POST", { Name: "e2e-docker-planted", Labels: { "understudy.stack-id": id } })).toBe(201);
    const first = await understudy("destroy", "--stack", stack, "--yes");
    expect({ code: first.code, names: first.stderr.includes("volume e2e-docker-planted") }).toEqual({ code: 7, names: true });
    expect(await post("/volumes/e2e-docker-planted", "DELETE")).toBe(204);
    const second = await understudyOk("destroy", "--stack", stack, "--yes", "--purge");
    expect(second.stdout).toContain("no process, container, volume, network, port, lease or file of it is left");
    expect(await dockerLeftovers(id)).toEqual([]);
  });
});
