import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram, type ProgramRun, type Registered } from "../../support/program.ts";
import { containersOf, type ContainerInputs } from "./rules.ts";

const before = process.env["DOCKER_HOST"];
let run: ProgramRun;
let bare: ProgramRun;
beforeAll(async () => {
  process.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
  run = await runProgram({ platform: "docker", admin: { enabled: true } }, "staging");
  bare = await runProgram({ platform: "docker", monitoring: { enabled: false } }, "staging");
}, 60_000);
afterAll(() => {
  if (before === undefined) delete process.env["DOCKER_HOST"];
  else process.env["DOCKER_HOST"] = before;
});

const container = (name: string): ContainerInputs => run.resource("Container", name).inputs;
const called = (name: string) => containersOf(run.resources).find(({ inputs }) => inputs.name === name)?.inputs;
const publishes = (service: string, external: number) =>
  expect(container(service).ports).toContainEqual({ internal: expect.any(Number) as number, external, ip: "127.0.0.1", protocol: "tcp" });
const insidePort = (service: string) => container(service).ports?.[0]?.internal;
const filesOf = (service: string, kind: "files" | "secretFiles") => run.resource("ContainerFiles", `${service}-files`).inputs[kind] as { path: string; content: string }[];
const file = (service: string, path: string, kind: "files" | "secretFiles" = "files") => filesOf(service, kind).find((one) => one.path === path)?.content ?? "";
const environment = () => file("app", "environment.sh", "secretFiles");
const named = (type: string): Registered[] => run.resources.filter((resource) => resource.type === type);
const programs = (service: string) => container(service).entrypoints?.join(" ") ?? "";

/** Every line of document 004 that says something of the infrastructure, as it stands there, and what has to hold. */
const lines: readonly (readonly [line: string, holds: () => void])[] = [
  ["- **Port Isolation**: Uses different ports to avoid conflicts with production", () => {
    const standard = new Set([80, 443, 3000, 5432, 6379, 9090]);
    for (const { inputs } of containersOf(run.resources)) for (const { external = 0 } of inputs.ports ?? []) expect(standard).not.toContain(external);
  }],
  ["- **SSL Configuration**: Self-signed certificates for HTTPS testing", () => expect(filesOf("proxy", "files").map(({ path }) => path)).toContain("tls/staging.crt")],
  ["- **Comprehensive Monitoring**: Health checks, logging, and validation", () => expect(run.resource("Validation", "validation").inputs).toHaveProperty("target")],
  ["# Or minimal setup (without monitoring/admin tools)", () => {
    expect(containersOf(bare.resources).map(({ name }) => name).sort()).toEqual(["app", "cache", "database", "proxy", "source"]);
  }],
  ["- **Application**: `localhost:3001` → `https://localhost:8080` (via nginx)", () => {
    publishes("app", 3001);
    publishes("proxy", 8080);
    expect(file("proxy", "nginx.conf")).toContain("server app-staging:3000 ");
  }],
  ["- **Database**: `localhost:5434` (PostgreSQL)", () => publishes("database", 5434)],
  ["- **Cache**: `localhost:6380` (Redis)", () => publishes("cache", 6380)],
  ["- **Admin Tools**: `localhost:5051` (pgAdmin)", () => publishes("pgadmin", 5051)],
  ["- **Monitoring**: `localhost:9091` (Prometheus), `localhost:3002` (Grafana)", () => {
    publishes("prometheus", 9091);
    publishes("grafana", 3002);
  }],
  ["NODE_ENV=staging", () => expect(environment()).toContain("export NODE_ENV='staging'\n")],
  ["NEXTAUTH_URL=https://localhost:8080", () => expect(environment()).toContain("export NEXTAUTH_URL='https://localhost:8080'\n")],
  // The document's password is a password in a document: ours is random.
  ["DATABASE_URL=postgresql://staging_user:staging_pass_123@postgres-staging:5432/staging_db", () =>
    expect(environment()).toContain("export DATABASE_URL='postgresql://staging_user:secret-of-app-password@postgres-staging:5432/staging_db'\n")],
  ["ROLE_MIGRATION_MODE=true", () => expect(environment()).toContain("export ROLE_MIGRATION_MODE='true'\n")],
  ["ENABLE_UNIVERSAL_DASHBOARD=true", () => expect(environment()).toContain("export ENABLE_UNIVERSAL_DASHBOARD='true'\n")],
  ["DISABLE_ROLE_SELECTION=true", () => expect(environment()).toContain("export DISABLE_ROLE_SELECTION='true'\n")],
  ["- Valid for 365 days", () => expect(run.resource("Certificate", "certificate").inputs).toMatchObject({ days: 365 })],
  ["| nginx HTTPS | 8080 | Main staging application access |", () => publishes("proxy", 8080)],
  ["| nginx HTTP | 8081 | HTTP redirect to HTTPS |", () => {
    publishes("proxy", 8081);
    expect(file("proxy", "nginx.conf")).toMatch(/listen 0\.0\.0\.0:8081 default_server;[^}]*return 308 https:\/\/\$public_host:8080\$request_uri;/);
  }],
  ["| App Direct | 3001 | Direct application access (development) |", () => publishes("app", 3001)],
  ["| PostgreSQL | 5434 | Database access |", () => publishes("database", 5434)],
  ["| Redis | 6380 | Cache access |", () => publishes("cache", 6380)],
  ["| pgAdmin | 5051 | Database administration |", () => {
    publishes("pgadmin", 5051);
    expect(JSON.parse(file("pgadmin", "servers.json"))).toMatchObject({ Servers: { 1: { Host: "postgres-staging", Port: 5432, MaintenanceDB: "staging_db", Username: "staging_readonly" } } });
  }],
  ["| Prometheus | 9091 | Metrics collection |", () => publishes("prometheus", 9091)],
  ["| Grafana | 3002 | Metrics visualization |", () => publishes("grafana", 3002)],
  ["- **Backup Creation**: Automatic staging backups before operations", () => expect(run.resource("Backup", "backup").inputs).toHaveProperty("staging")],
  ["- **Limited Data**: Maximum 10 users copied by default", () => expect(run.resource("DataCopy", "data-copy").inputs).toMatchObject({ limit: 10 })],
  ["- **Network Isolation**: Separate Docker network", () => {
    expect(named("docker:index/network:Network")).toHaveLength(1);
    for (const { inputs } of containersOf(run.resources)) expect(inputs.networksAdvanced?.map(({ name }) => name)).toEqual(["1001-stories-staging"]);
  }],
  ["- **Container Security**: Non-root user configurations", () => {
    for (const { inputs } of containersOf(run.resources)) expect(inputs.user).toMatch(/^[1-9]/);
  }],
  ["- **SSL Enforcement**: HTTPS-only access", () => expect(file("proxy", "nginx.conf")).toContain("ssl http2")],
  ["- **Development Headers**: Clear staging environment identification", () => expect(file("proxy", "nginx.conf")).toContain("add_header X-Environment STAGING always;")],
  ["All services include comprehensive health checks:", () => {
    for (const { name, inputs } of containersOf(run.resources)) expect(inputs.healthcheck, name).toBeDefined();
  }],
  ['  test: ["CMD", "wget", "--quiet", "--tries=1", "--spider", "http://localhost:3000/api/health"]', () =>
    expect(container("app").healthcheck?.tests).toEqual(["CMD", "wget", "--quiet", "--tries=1", "--spider", "http://localhost:3000/api/health"])],
  ["  interval: 15s", () => expect(container("app").healthcheck?.interval).toBe("15s")],
  ["  timeout: 10s", () => expect(container("app").healthcheck?.timeout).toBe("10s")],
  ["  retries: 5", () => expect(container("app").healthcheck?.retries).toBe(5)],
  ["  start_period: 30s", () => expect(container("app").healthcheck?.startPeriod).toBe("30s")],
  ["log_format staging '$time_iso8601 [STAGING] $remote_addr \"$request\" $status '", () =>
    expect(file("proxy", "nginx.conf")).toContain("log_format staging '$time_iso8601 [STAGING] $remote_addr \"$request\" $status '")],
  ["                  '$request_time $upstream_response_time \"$http_user_agent\"';", () =>
    expect(file("proxy", "nginx.conf")).toContain("'$request_time $upstream_response_time \"$http_user_agent\"';")],
  ["- **Prometheus**: Metrics collection from all services", () => {
    for (const target of ["app-staging:3000", "node-exporter-staging:", "postgres-exporter-staging:", "redis-exporter-staging:", "nginx-exporter-staging:", "alertmanager-staging:"]) {
      expect(file("prometheus", "prometheus.yml")).toContain(target);
    }
  }],
  ["- **Grafana**: Visualization dashboards for performance monitoring", () => {
    expect(file("grafana", "provisioning/datasources/prometheus.yaml")).toContain("url: http://prometheus-staging:9091");
    expect(file("grafana", "provisioning/dashboards/understudy.yaml")).toContain("path: /etc/understudy/dashboards");
    expect(filesOf("grafana", "files").some(({ path }) => /^dashboards\/.+\.json$/.test(path))).toBe(true);
  }],
  ["1. **Infrastructure**: Docker containers, ports, volumes, SSL", () =>
    expect(run.resource("Validation", "validation").inputs).toMatchObject({ target: { platform: "docker", services: expect.arrayContaining([expect.objectContaining({ container: "1001-stories-db-staging", port: 5434 })]) } })],
  ["docker-compose -f docker-compose.staging.yml --profile admin up -d", () => expect(containersOf(bare.resources).map(({ name }) => name)).not.toContain("pgadmin")],
  ["docker-compose -f docker-compose.staging.yml --profile monitoring up -d", () => expect(containersOf(bare.resources).map(({ name }) => name)).not.toContain("prometheus")],
  ["docker logs 1001-stories-db-staging", () => expect(called("1001-stories-db-staging")?.logDriver).toBe("json-file")],
  ["docker exec -it 1001-stories-db-staging psql -U staging_user -d staging_db", () => {
    expect(file("database", "start.sh")).toContain("'unix_socket_directories=/run/postgresql'");
    expect(called("1001-stories-db-staging")?.tmpfs).toHaveProperty("/run/postgresql");
  }],
  ["open http://localhost:5051", () => expect(run.outputs["urls"]).toMatchObject({ pgadmin: "http://127.0.0.1:5051" })],
  ["docker stats 1001-stories-app-staging", () => expect(called("1001-stories-app-staging")?.memory).toBeGreaterThan(0)],
  ["docker exec 1001-stories-app-staging top", () => expect(called("1001-stories-app-staging")).toBeDefined()],
  ["docker-compose -f docker-compose.staging.yml restart app-staging", () => expect(called("1001-stories-app-staging")?.hostname).toBe("app-staging")],
  ["docker exec 1001-stories-db-staging pg_isready -U staging_user -d staging_db", () => expect(container("database").healthcheck?.tests.slice(0, 2)).toEqual(["CMD", "pg_isready"])],
  ["docker volume rm postgres_staging_data", () => {
    expect(named("docker:index/volume:Volume").map(({ inputs }) => inputs["name"])).toContain("postgres_staging_data");
    expect(container("database").volumes).toContainEqual({ volumeName: "postgres_staging_data", containerPath: "/var/lib/postgresql/data" });
    expect(insidePort("database")).toBe(5432);
  }],
  ["openssl x509 -in nginx/ssl-staging/staging.crt -text -noout", () => expect(filesOf("proxy", "files").map(({ path }) => path)).toContain("tls/staging.crt")],
  ["- **Migration Logs**: Database table `staging_migrations.role_migration_log`", () => expect(run.resource("StagingSetup", "staging-setup").inputs).toHaveProperty("schemaHash")],
  ["- [ ] All Docker containers running and healthy", () => {
    for (const { name } of containersOf(run.resources)) expect(run.resource("ContainerReady", `${name}-ready`).inputs, name).toHaveProperty("probe");
  }],
  ["- [ ] Migration Testing", () => expect(run.resource("MigrationTest", "migration-test").inputs).toHaveProperty("migrationsHash")],
  ["- **Container Health**: All containers running and healthy", () => {
    for (const { name, inputs } of containersOf(run.resources)) expect(inputs.restart, name).toBe("unless-stopped");
  }],
];

describe("document 004 on Docker", () => {
  it.each(lines)("%s", (_line, holds) => {
    holds();
  });

  it("runs each program as its kind is run", () => {
    expect(programs("app")).toMatch(/^sh -c .* node \/etc\/understudy\/app\.mjs$/);
    expect(programs("cache")).toBe("redis-server /etc/understudy/redis.conf --dir /data");
    expect(programs("proxy")).toBe("nginx -c /etc/understudy/nginx.conf -p /tmp -e stderr");
    expect(file("cache", "redis.conf")).toMatch(/^bind 0\.0\.0\.0\nport 6379\n/);
  });

  it("another stack collides with nothing of staging's", async () => {
    const other = await runProgram({ platform: "docker", portOffset: 100 }, "second");
    const names = (one: ProgramRun) => one.resources.flatMap(({ type, inputs }) => (/^docker:index\/(container|volume|network)/.test(type) ? [String(inputs["name"])] : []));
    expect(names(other)).toContain("1001-stories-db-second");
    expect(names(other)).toContain("postgres_second_data");
    expect(names(other).filter((name) => names(run).includes(name))).toEqual([]);
  });
});
