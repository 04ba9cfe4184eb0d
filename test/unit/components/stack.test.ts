import { isSecret, type Output } from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultPorts } from "../../../config.ts";
import { runProgram, type ProgramRun } from "../../support/program.ts";

const kindOf = (type: string) => type.split(":").at(-1);

describe("the stack with its defaults", () => {
  let run: ProgramRun;
  beforeAll(async () => {
    run = await runProgram();
  });

  const namesOf = (kind: string) => run.resources.filter(({ type }) => kindOf(type) === kind).map(({ name }) => name).sort();

  it("is made of exactly these components", () => {
    const components = run.resources.filter(({ type }) => type.startsWith("understudy:"));
    expect(components.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "understudy:index:App app",
      "understudy:index:Cache cache",
      "understudy:index:Database database",
      "understudy:index:Database source",
      "understudy:index:Monitoring monitoring",
      "understudy:index:Proxy proxy",
      "understudy:index:StagingStack local",
      "understudy:platform:Process process",
    ]);
  });

  it("runs exactly these services", () => {
    expect(namesOf("Service")).toEqual([
      "alertmanager", "app", "cache", "database", "nginx-exporter", "node-exporter", "postgres-exporter", "prometheus", "proxy", "redis-exporter", "source",
    ]);
  });

  it("does exactly this work", () => {
    for (const [kind, names] of Object.entries({
      PortLeases: ["ports"],
      Supervisor: ["supervisor"],
      Certificate: ["certificate"],
      Volume: ["alertmanager-data", "cache-data", "database-data", "prometheus-data", "source-data"],
      StagingSetup: ["staging-setup"],
      SampleSource: ["sample-source"],
      Backup: ["backup"],
      DataCopy: ["data-copy"],
      MigrationTest: ["migration-test"],
      Validation: ["validation"],
      Secret: [
        "app-password", "cache-password", "database-admin-password", "masking-key", "owner-password", "read-only-password",
        "session-secret", "sign-in-password", "source-admin-password", "source-reader-password",
      ],
    })) {
      expect(namesOf(kind), kind).toEqual(names);
    }
  });

  it("uses document 004's ports", () => {
    const { ports } = run.resource("PortLeases", "ports").inputs as { ports: Record<string, number> };
    expect(ports).toMatchObject({ https: 8080, http: 8081, app: 3001, database: 5434, cache: 6380, prometheus: 9091 });
    expect(new Set(Object.values(ports)).size).toBe(Object.keys(ports).length);
  });

  it("binds every service to loopback and nothing else", () => {
    for (const { name, inputs } of run.resources.filter(({ type }) => kindOf(type) === "Service")) {
      const text = JSON.stringify([inputs["arguments"], inputs["files"], inputs["environment"], inputs["probe"]]);
      expect(text, name).not.toMatch(/0\.0\.0\.0|\[::\]|listen_addresses=\*|"bind \*|listen \d+[ ;]/);
      expect(text, name).toMatch(/127\.0\.0\.1|localhost/);
    }
  });

  it("keeps every secret out of arguments and plain files", () => {
    for (const { name, inputs } of run.resources.filter(({ type }) => kindOf(type) === "Service")) {
      expect(JSON.stringify([inputs["arguments"], inputs["files"]]), name).not.toMatch(/secret-of-|KEY/);
    }
  });

  it("gives the app document 004's environment", () => {
    expect(run.resource("Service", "app").inputs["environment"]).toMatchObject({
      NODE_ENV: "staging",
      NEXTAUTH_URL: "https://localhost:8080",
      DATABASE_URL: "postgresql://staging_user:secret-of-app-password@127.0.0.1:5434/staging_db",
      ROLE_MIGRATION_MODE: "true",
      ENABLE_UNIVERSAL_DASHBOARD: "true",
      DISABLE_ROLE_SELECTION: "true",
    });
  });

  it("probes each service as document 004 says", () => {
    for (const { name, inputs } of run.resources.filter(({ type }) => kindOf(type) === "Service")) {
      expect(inputs["health"], name).toEqual({ intervalMs: 15_000, timeoutMs: 10_000, retries: 5, startPeriodMs: 30_000 });
    }
    const kinds = Object.fromEntries(["database", "cache", "app", "proxy", "prometheus"].map((name) => [name, (run.resource("Service", name).inputs["probe"] as { kind: string }).kind]));
    expect(kinds).toEqual({ database: "postgres", cache: "redis", app: "http", proxy: "http", prometheus: "prometheus-targets" });
  });

  it("copies ten users, read-only, and proves all of it", () => {
    expect(run.resource("DataCopy", "data-copy").inputs).toMatchObject({ limit: 10, allowWritableSource: false, sourceBounds: {}, volumeId: "volume-of-database-data" });
    const { subject } = run.resource("Validation", "validation").inputs as { subject: string[] };
    expect(subject).toContain("copy-1");
    expect(subject).toContain("fingerprint-of-proxy");
    expect(subject).toHaveLength(12);
  });

  it("puts out what holds passwords as a secret only", async () => {
    expect(await isSecret(run.outputs["target"] as Output<unknown>)).toBe(true);
    expect(await isSecret(run.outputs["copying"] as Output<unknown>)).toBe(true);
    expect(JSON.stringify(run.outputs["ports"])).toContain("8080");
  });
});

describe("configuration", () => {
  it("moves every port by the offset", async () => {
    const run = await runProgram({ portOffset: 300 });
    const { ports } = run.resource("PortLeases", "ports").inputs as { ports: Record<string, number> };
    for (const [name, port] of Object.entries(ports)) expect(port).toBe(defaultPorts[name as keyof typeof defaultPorts] + 300);
  });

  it("leaves monitoring, rehearsal and validation out when they are off", async () => {
    const run = await runProgram({ monitoring: { enabled: false }, rehearsal: { enabled: false }, validation: { enabled: false } });
    const kinds = new Set(run.resources.map(({ type }) => kindOf(type)));
    expect(kinds).not.toContain("Monitoring");
    expect(kinds).not.toContain("MigrationTest");
    expect(kinds).not.toContain("Validation");
    expect(Object.keys((run.resource("PortLeases", "ports").inputs as { ports: object }).ports).sort()).toEqual(["app", "cache", "database", "http", "https", "nginxStatus", "source"]);
  });

  it("makes no sample where production is named", async () => {
    const run = await runProgram({ sourceUrl: "postgresql://reader:pw@db.example.org:6543/prod" });
    expect(run.resources.filter(({ name }) => name === "source" || name === "sample-source")).toEqual([]);
    expect(run.resource("DataCopy", "data-copy").inputs).toMatchObject({
      sourceIdentity: "db.example.org:6543/prod",
      source: { host: "db.example.org", port: 6543, database: "prod", user: "reader", sslmode: "require" },
    });
  });

  it("runs the real app's command in place of the reference app", async () => {
    const run = await runProgram({ app: { command: ["node", "server.js"], workingFolder: "/srv/app", healthPath: "/healthz", environment: { FEATURE: "on" } } });
    const { inputs } = run.resource("Service", "app");
    expect(inputs).toMatchObject({ program: "sh", environment: { FEATURE: "on", PORT: "3001" }, probe: { url: "http://127.0.0.1:3001/healthz" } });
    expect(inputs["arguments"]).toContain("server.js");
    expect(inputs).not.toHaveProperty("bundle");
  });

  it("names every wrong key at once", async () => {
    await expect(runProgram({ portOffset: -1, ports: { app: 70_000, nothing: 1 }, surprise: true })).rejects.toThrow(
      /4 problem.*portOffset.*ports\.app = 70000.*ports\.nothing is not a key.*surprise is not a key/s,
    );
  });
});
