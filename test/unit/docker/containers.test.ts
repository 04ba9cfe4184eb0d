import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram, type ProgramRun } from "../../support/program.ts";
import { brokenRules, containersOf, rules, type ContainerInputs } from "./rules.ts";

const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((path) => /@pulumi[/\\](docker|random)[/\\]/.test(path));
const everything = { platform: "docker", admin: { enabled: true }, app: { replicas: 3 } };

let run: ProgramRun;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "understudy-docker-"));
  process.env["DOCKER_HOST"] = `unix://${join(folder, "nobody.sock")}`;
  await runProgram();
  expect(loaded(), "platform process loads none of Docker's packages").toEqual([]);
  run = await runProgram(everything, "staging");
  expect(loaded().length).toBeGreaterThan(2);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("every container", () => {
  it("keeps every rule", () => {
    const containers = containersOf(run.resources);
    expect(containers.map(({ name }) => name).sort()).toEqual([
      "alertmanager", "app", "app-2", "app-3", "cache", "database", "grafana", "nginx-exporter", "node-exporter", "pgadmin", "postgres-exporter", "prometheus", "proxy",
      "redis-exporter", "source",
    ]);
    for (const { name, inputs } of containers) expect(brokenRules(inputs), name).toEqual([]);
  });

  const good = (): ContainerInputs => containersOf(run.resources).find(({ name }) => name === "app")?.inputs ?? {};
  /** For each rule, inputs that break it. */
  const faults: Readonly<Record<string, (inputs: ContainerInputs) => ContainerInputs>> = {
    "every port is published on loopback": (inputs) => ({ ...inputs, ports: [{ internal: 3000, external: 3001, ip: "0.0.0.0" }] }),
    "a port is published": (inputs) => ({ ...inputs, ports: [] }),
    "not every port is published by itself": (inputs) => ({ ...inputs, publishAllPorts: true }),
    "in the stack's network and no other": (inputs) => ({ ...inputs, networkMode: "host", networksAdvanced: [] }),
    "not in the machine's process space": (inputs) => ({ ...inputs, pidMode: "host" }),
    "unprivileged user": (inputs) => ({ ...inputs, user: "0:0" }),
    "not privileged": (inputs) => ({ ...inputs, privileged: true }),
    "read-only root file system": (inputs) => ({ ...inputs, readOnly: false }),
    "/tmp in memory, nothing in it executed": (inputs) => ({ ...inputs, tmpfs: { "/tmp": "rw,exec" } }),
    "no new privileges": (inputs) => ({ ...inputs, securityOpts: ["seccomp=unconfined"] }),
    "every capability dropped": (inputs) => ({ ...inputs, capabilities: { drops: ["NET_RAW"] } }),
    "no capability added": (inputs) => ({ ...inputs, capabilities: { drops: ["ALL"], adds: ["SYS_ADMIN"] } }),
    "memory is limited": (inputs) => ({ ...inputs, memory: 0 }),
    "CPU is limited": (inputs) => ({ ...inputs, cpus: "0" }),
    "a health check that asks the program": (inputs) => ({ ...inputs, healthcheck: { interval: "15s", timeout: "10s", retries: 5, startPeriod: "30s", startInterval: "1s", tests: ["NONE"] } }),
    "probed every 15 s, 10 s at most, 5 times, after 30 s": (inputs) => ({ ...inputs, healthcheck: { tests: [], ...inputs.healthcheck, interval: "5m0s" } }),
    "waited for, probed fast while it starts": (inputs) => ({ ...inputs, wait: false }),
    "started again when it ends": (inputs) => ({ ...inputs, restart: "no" }),
    "logs are rotated": (inputs) => ({ ...inputs, logOpts: {} }),
    "the image is the engine's own name for it": (inputs) => ({ ...inputs, image: "node:latest" }),
    "no secret in the environment": (inputs) => ({ ...inputs, envs: ["DATABASE_URL=postgresql://staging_user:secret-of-app-password@postgres-staging:5432/staging_db"] }),
    "no secret in an argument": (inputs) => ({ ...inputs, entrypoints: ["redis-server", "--requirepass", "secret-of-cache-password"] }),
    "nothing of this machine is mounted to be written": (inputs) => ({ ...inputs, volumes: [{ hostPath: "/var/lib/understudy/x", containerPath: "/etc/understudy" }] }),
    "the engine's socket is not mounted": (inputs) => ({ ...inputs, volumes: [{ hostPath: "/var/run/docker.sock", containerPath: "/docker.sock", readOnly: true }] }),
    "nothing is uploaded, which a read-only container refuses": (inputs) => ({ ...inputs, uploads: [{ file: "/etc/app.conf", content: "x" }] }),
    "labelled as this stack's": (inputs) => ({ ...inputs, labels: [] }),
  };

  it("has a planted fault for every rule", () => {
    expect(Object.keys(faults).sort()).toEqual(Object.keys(rules).sort());
  });

  it.each(Object.keys(faults))("is found out: %s", (rule) => {
    expect(brokenRules(good())).toEqual([]);
    expect(brokenRules(faults[rule]?.(good()) ?? {})).toContain(rule);
  });
});

describe("secrets", () => {
  it("are in files that the engine keeps encrypted, and nowhere else", () => {
    for (const { name, inputs } of run.resources.filter(({ type }) => type.endsWith(":ContainerFiles"))) {
      expect(JSON.stringify(inputs["files"]), name).not.toMatch(/secret-of-|\bKEY\b/);
    }
    const secrets = (service: string) => run.resource("ContainerFiles", `${service}-files`).inputs["secretFiles"] as { path: string; content: string }[];
    expect(secrets("app")[0]).toMatchObject({ path: "environment.sh", content: expect.stringContaining("export SESSION_SECRET='secret-of-session-secret'\n") });
    expect(secrets("database")[0]).toEqual({ path: "admin-password", content: "secret-of-database-admin-password" });
    expect(secrets("postgres-exporter")).toEqual([{ path: "password", content: "secret-of-read-only-password" }]);
    expect(secrets("redis-exporter")).toEqual([{ path: "passwords.json", content: '{ "redis://redis-staging:6379": "secret-of-cache-password" }\n' }]);
    expect(secrets("grafana")).toEqual([{ path: "admin-password", content: "secret-of-grafana-admin-password" }]);
    expect(secrets("pgadmin")).toEqual([{ path: "admin-password", content: "secret-of-pgadmin-password" }]);
    expect(secrets("proxy").map(({ path }) => path)).toEqual(["tls/staging.key"]);
    expect(run.resource("Container", "grafana").inputs["envs"]).toContain("GF_SECURITY_ADMIN_PASSWORD__FILE=/etc/understudy/admin-password");
  });

  it("are random, of Pulumi's own provider", () => {
    const made = run.resources.filter(({ type }) => type === "random:index/randomPassword:RandomPassword");
    expect(made.length).toBeGreaterThanOrEqual(11);
    for (const { inputs } of made) expect(inputs).toMatchObject({ length: 32, special: false });
  });
});

describe("the network", () => {
  it("is the stack's own, publishes on loopback by default, and keeps addresses that others hold on to out of what it gives away", () => {
    const { inputs } = run.resource("Network", "network");
    expect(inputs).toMatchObject({ name: "1001-stories-staging", driver: "bridge", options: { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1" } });
    const [{ subnet = "", ipRange = "" } = {}] = inputs["ipamConfigs"] as { subnet?: string; ipRange?: string }[];
    expect(subnet).toMatch(/^10\.1\d\d\.\d+\.0\/24$/);
    expect(ipRange).toBe(subnet.replace("0/24", "128/25"));
    const address = (name: string) => (run.resource("Container", name).inputs as ContainerInputs).networksAdvanced?.[0]?.ipv4Address;
    expect([address("app"), address("app-2"), address("app-3")]).toEqual([11, 12, 13].map((last) => subnet.replace("0/24", String(last))));
    expect(address("database")).toBeUndefined();
  });

  it("is named by the configuration where that one is in use", async () => {
    const own = await runProgram({ platform: "docker", subnet: "192.168.77.0/24" }, "staging");
    expect(own.resource("Network", "network").inputs["ipamConfigs"]).toEqual([{ subnet: "192.168.77.0/24", ipRange: "192.168.77.128/25", gateway: "192.168.77.1" }]);
  });
});

describe("an engine that is older than Docker 25", () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer((request, answer) => answer.end(request.url === "/version" ? '{"ApiVersion":"1.41"}' : "{}"));
    await new Promise<void>((resolve) => server.listen(join(folder, "engine.sock"), resolve));
  });
  afterAll(() => server.close());

  it("looks for the first time after a whole interval: there the probe from this machine alone is waited for", async () => {
    process.env["DOCKER_HOST"] = `unix://${join(folder, "engine.sock")}`;
    const old = await runProgram({ platform: "docker" }, "staging");
    for (const { name, inputs } of containersOf(old.resources)) {
      expect(brokenRules(inputs), name).toEqual(["waited for, probed fast while it starts"]);
      expect(inputs.healthcheck, name).not.toHaveProperty("startInterval");
      expect(old.resource("ContainerReady", `${name}-ready`).inputs["containerId"], name).toBe(`${name}-id`);
    }
  });
});

describe("what Docker does not have yet", () => {
  it.each([
    [{ database: { replicas: 1 } }, /read replica/],
    [{ database: { pooling: true } }, /PgBouncer/],
    [{ cache: { cluster: 3 } }, /Redis cluster/],
    [{ backup: { everyHours: 6 } }, /schedule/],
  ])("is refused: %j", async (config, why) => {
    await expect(runProgram({ platform: "docker", ...config }, "staging")).rejects.toThrow(why);
  });

  it("process has no pgAdmin", async () => {
    await expect(runProgram({ admin: { enabled: true } })).rejects.toThrow(/pgAdmin comes as an image only/);
  });
});

describe("a change of what a container reads", () => {
  it("is a change of the container, and of no other one", async () => {
    process.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
    const label = (one: ProgramRun, name: string) => (one.resource("Container", name).inputs as ContainerInputs).labels?.find((each) => each.label === "understudy.files")?.value;
    const plain = await runProgram({ platform: "docker" }, "staging");
    const changed = await runProgram({ platform: "docker", app: { environment: { FEATURE: "on" } } }, "staging");
    expect(label(plain, "app")).toMatch(/^[0-9a-f]{16}$/);
    const differing = containersOf(plain.resources).map(({ name }) => name).filter((name) => label(plain, name) !== label(changed, name));
    expect(differing).toEqual(["app"]);
  });
});
