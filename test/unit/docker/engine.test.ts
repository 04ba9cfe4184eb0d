import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineAddress } from "../../../engine/docker/api.ts";
import { containerLog, inspectContainer, observeContainer, parseLogStream } from "../../../engine/docker/containers.ts";
import { dockerLeftovers } from "../../../engine/docker/leftovers.ts";
import { containerPort, DockerNames, subnetOf } from "../../../platforms/docker/names.ts";
import { postgresStart } from "../../../platforms/docker/postgres.ts";
import { wgetTest } from "../../../platforms/docker/launch.ts";

const frame = (stream: number, text: string) => {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
};

const state = { Running: true, Restarting: false, Pid: 42, ExitCode: 0, OOMKilled: false, StartedAt: new Date(Date.now() - 5_000).toISOString(), FinishedAt: "0001-01-01T00:00:00Z", Health: { Status: "healthy" } };
const answers: Readonly<Record<string, unknown>> = {
  "/containers/up/json": { Id: "abc", RestartCount: 2, State: state, Config: { User: "70:70" } },
  "/containers/down/json": { Id: "def", RestartCount: 0, State: { ...state, Running: false, Pid: 0, ExitCode: 137, Health: undefined }, Config: { User: "" } },
  "/containers/json": [{ Names: ["/1001-stories-db-staging"], State: "exited" }],
  "/networks": [{ Name: "1001-stories-staging" }],
  "/volumes": { Volumes: [{ Name: "postgres_staging_data" }] },
};
let asked: string[] = [];
let server: Server;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "understudy-engine-"));
  server = createServer((request, answer) => {
    asked.push(request.url ?? "");
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (path === "/containers/up/logs") {
      answer.end(Buffer.concat([frame(1, "one\ntwo"), frame(2, " and a half\nthree\n")]));
      return;
    }
    const body = answers[path];
    answer.statusCode = body === undefined ? 404 : 200;
    answer.end(JSON.stringify(body ?? { message: "no such thing" }));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "engine.sock"), resolve));
  process.env["DOCKER_HOST"] = `unix://${join(folder, "engine.sock")}`;
});
afterAll(() => {
  server.close();
  delete process.env["DOCKER_HOST"];
  rmSync(folder, { recursive: true });
});

describe("the engine", () => {
  it("is looked for where Pulumi's provider does", () => {
    expect(engineAddress({})).toEqual({ origin: "http://docker", socketPath: "/var/run/docker.sock" });
    expect(engineAddress({ DOCKER_HOST: "tcp://127.0.0.1:2375" })).toEqual({ origin: "http://127.0.0.1:2375" });
    expect(() => engineAddress({ DOCKER_HOST: "ssh://elsewhere" })).toThrow(/ssh:\/\/elsewhere.*not supported/);
  });

  it("tells how a container is, and of one that is not there", async () => {
    expect(await inspectContainer("up")).toMatchObject({ id: "abc", running: true, pid: 42, restarts: 2, health: "healthy", user: "70:70" });
    expect((await inspectContainer("up"))?.uptimeMs).toBeGreaterThan(4_000);
    expect(await inspectContainer("nobody")).toBeUndefined();
    expect(await observeContainer("up")).toMatchObject({ up: true, exits: [{ code: 0 }, { code: 0 }] });
    expect(await observeContainer("down")).toMatchObject({ up: false, exits: [{ code: 137, signal: null }] });
    expect(await observeContainer("nobody")).toMatchObject({ up: false, wantedUp: false });
  });

  it("gives a log whole, whatever frame a line is in", async () => {
    expect(await containerLog("up", 20)).toEqual(["one", "two and a half", "three"]);
    expect(await containerLog("nobody", 20)).toEqual([]);
    expect(parseLogStream(frame(1, "whole").subarray(0, 5))).toBe("");
  });

  it("is asked for what a stack left, by its label", async () => {
    asked = [];
    expect(await dockerLeftovers("staging-12345678")).toEqual(["container 1001-stories-db-staging (exited)", "network 1001-stories-staging", "volume postgres_staging_data"]);
    expect(asked.sort()).toHaveLength(3);
    for (const url of asked) expect(decodeURIComponent(url)).toContain('{"label":["understudy.stack-id=staging-12345678"]}');
  });

  it("that does not answer is an error: then nobody knows what is left", async () => {
    const own = process.env["DOCKER_HOST"];
    process.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
    await expect(dockerLeftovers("staging-12345678")).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("/nowhere/docker.sock does not answer") });
    process.env["DOCKER_HOST"] = own;
  });
});

describe("names", () => {
  const names = new DockerNames("1001 Stories", "staging");
  it.each([
    ["database", "1001-stories-db-staging", "postgres-staging", "postgres_staging_data"],
    ["app", "1001-stories-app-staging", "app-staging", "app_staging_data"],
    ["app-2", "1001-stories-app-2-staging", "app-2-staging", "app_2_staging_data"],
    ["proxy", "1001-stories-nginx-staging", "nginx-staging", "nginx_staging_data"],
    ["node-exporter", "1001-stories-node-exporter-staging", "node-exporter-staging", "node_exporter_staging_data"],
  ])("of %s", (service, container, host, volume) => {
    expect([names.container(service), names.host(service), names.volume(service)]).toEqual([container, host, volume]);
  });

  it("ports inside are the document's, whatever they are outside", () => {
    expect([containerPort("database", 5534), containerPort("cache", 6480), containerPort("app-3", 3104), containerPort("proxy", 8180)]).toEqual([5432, 6379, 3000, 8180]);
  });

  it("networks of two checkouts differ, and one checkout's stays", () => {
    expect(subnetOf("staging-00000000").cidr).toBe(subnetOf("staging-00000000").cidr);
    expect(new Set(Array.from({ length: 50 }, (_, index) => subnetOf(`staging-${index}`).cidr)).size).toBeGreaterThan(45);
  });
});

describe("what runs in a container", () => {
  it("PostgreSQL's script is a shell's, and quotes what it is given", () => {
    const script = postgresStart({ dataFolder: "/data/it's", adminUser: "admin", configFolder: "/etc/understudy", settings: { log_line_prefix: "%m [%p] '%u' " } });
    execFileSync("sh", ["-n"], { input: script });
    expect(script).toContain(`-c 'log_line_prefix=%m [%p] '\\''%u'\\'' '`);
    expect(script).toContain("--auth=scram-sha-256");
    expect(script).not.toMatch(/trust|password=/i);
  });

  it("is probed as document 004 has it, through TLS too", () => {
    expect(wgetTest(8080, "/nginx-health", true)).toEqual(["CMD", "wget", "--quiet", "--tries=1", "--no-check-certificate", "--spider", "https://localhost:8080/nginx-health"]);
  });
});
