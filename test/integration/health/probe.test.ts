import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { mkdtemp, readFile, rm, writeFile, chmod, chown } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { probe } from "../../../engine/health/index.ts";
import type { HealthSpec } from "../../../engine/health/index.ts";
import { createCertificate } from "../../../engine/tls/certificate.ts";
import { startChild } from "../../support/child.ts";
import type { TestChild } from "../../support/child.ts";
import { freePort } from "../../support/ports.ts";
import { startPostgres } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { unprivileged } from "../../support/unprivileged.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

const healthy = (spec: HealthSpec) => expect(probe(spec)).resolves.toMatchObject({ ok: true });
const sick = (spec: HealthSpec, detail: RegExp, permanent: boolean, timeoutMs = 5_000) =>
  expect(probe(spec, undefined, timeoutMs)).resolves.toMatchObject({ ok: false, detail: expect.stringMatching(detail), permanent });

describe("postgres", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
    cleanups.push(() => server.stop("immediate"));
  });

  test("healthy", () => healthy({ kind: "postgres", connection: server.admin() }));
  test("wrong password: never, and it is not shown", async () => {
    const connection = { ...server.admin(), password: "wrong-secret" };
    await sick({ kind: "postgres", connection }, /password authentication failed/, true);
    expect((await probe({ kind: "postgres", connection })).detail).not.toContain("wrong-secret");
  });
  test("a database that is not there yet", () => sick({ kind: "postgres", connection: server.admin("later") }, /"later" does not exist/, false));
  test("down", async () => sick({ kind: "postgres", connection: { ...server.admin(), port: await freePort() } }, /ECONNREFUSED/, false));
  test("hangs: the deadline holds", async () => {
    const pid = Number((await readFile(join(server.folder, "data/postmaster.pid"), "utf8")).split("\n")[0]);
    process.kill(pid, "SIGSTOP");
    try {
      const startedAt = Date.now();
      await sick({ kind: "postgres", connection: server.admin() }, /no answer within 400 ms|timeout/, false, 400);
      expect(Date.now() - startedAt).toBeLessThan(2_000);
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });
});

describe("redis", () => {
  const password = "redis-secret";
  const start = async (...options: string[]): Promise<number> => {
    const port = await freePort();
    const child = startChild(
      "redis-server",
      ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", password, "--dir", tmpdir(), ...options],
      { ...unprivileged() },
    );
    cleanups.push(() => child.stop());
    await child.waitUntil(async () => {
      if (!child.output().includes("Ready to accept connections")) throw new Error("starting");
    });
    return port;
  };
  let port: number;
  beforeAll(async () => {
    port = await start();
  });

  test("healthy, and no key stays", async () => {
    await healthy({ kind: "redis", port, password });
    await healthy({ kind: "redis", url: `redis://:${password}@127.0.0.1:${port}` });
    const client = createClient({ url: `redis://:${password}@127.0.0.1:${port}` });
    await client.connect();
    expect(await client.dbSize()).toBe(0);
    client.destroy();
  });
  test("wrong password: never", () => sick({ kind: "redis", port, password: "wrong" }, /WRONGPASS/, true));
  test("no password: never", () => sick({ kind: "redis", port }, /NOAUTH/, true));
  test("down", async () => sick({ kind: "redis", port: await freePort(), password }, /ECONNREFUSED/, false));
  test("a URL's password is not shown", async () => {
    const { detail } = await probe({ kind: "redis", url: `redis://:url-secret@127.0.0.1:${await freePort()}` });
    expect(detail).not.toContain("url-secret");
  });
  test("a read-only replica: never", async () => {
    await sick({ kind: "redis", port: await start("--replicaof", "127.0.0.1 1"), password }, /READONLY/, true);
  });
  test("out of memory: never", async () => {
    await sick({ kind: "redis", port: await start("--maxmemory", "1", "--maxmemory-policy", "noeviction"), password }, /OOM/, true);
  });
});

describe("http", () => {
  const listen = async (server: Server): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  };
  const answer = (status: number, body: unknown): RequestListener => (_request, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const serve = (listener: RequestListener) => listen(createServer(listener));
  const url = (port: number, scheme = "http"): string => `${scheme}://127.0.0.1:${port}/api/health`;

  test("healthy, with status and fields as expected", async () => {
    const port = await serve(answer(200, { status: "healthy", checks: { database: "up" } }));
    await healthy({ kind: "http", url: url(port), expectStatus: 200, expectJson: { status: "healthy", "checks.database": "up" } });
  });
  test("500", async () => sick({ kind: "http", url: url(await serve(answer(500, "the database is gone"))) }, /status 500, expected 200: the database is gone/, false));
  test("a redirect is not an answer", async () => sick({ kind: "http", url: url(await serve(answer(301, ""))) }, /status 301/, false));
  test("a component that is down", async () => {
    const port = await serve(answer(200, { status: "healthy", checks: { database: "down" } }));
    await sick({ kind: "http", url: url(port), expectJson: { "checks.database": "up" } }, /checks.database is "down", expected "up"/, false);
    await sick({ kind: "http", url: url(port), expectJson: { "checks.cache": "up" } }, /checks.cache is missing/, false);
  });
  test("no JSON", async () => sick({ kind: "http", url: url(await serve(answer(200, "<html>"))), expectJson: { a: 1 } }, /not JSON/, false));
  test("never answers", async () => sick({ kind: "http", url: url(await serve(() => {})) }, /no answer|[Tt]imeout/, false, 300));
  test("down", async () => sick({ kind: "http", url: url(await freePort()) }, /ECONNREFUSED/, false));

  describe("through TLS", () => {
    let certificate: string;
    let port: number;
    const secure = async (options: Parameters<typeof createCertificate>[0] = {}) => {
      const made = await createCertificate(options);
      certificate = made.certificatePem;
      return listen(createTlsServer({ cert: made.certificatePem, key: made.keyPem }, answer(200, "{}")));
    };
    beforeAll(async () => {
      port = await secure();
    });

    test("trusted by its own authority", () => healthy({ kind: "http", url: url(port, "https"), ca: certificate }));
    test("taken as it is when asked to", () => healthy({ kind: "http", url: url(port, "https"), insecureTls: true }));
    test("self-signed and not trusted: never", () => sick({ kind: "http", url: url(port, "https") }, /self-signed certificate/, true));
    test("a certificate for another name: never", async () => {
      const other = await secure({ dnsNames: ["elsewhere.example"], ipAddresses: ["192.0.2.1"] });
      await sick({ kind: "http", url: url(other, "https"), ca: certificate }, /does not match certificate's altnames/, true);
    });
    test("an expired certificate: never", async () => {
      const expired = await secure({ now: new Date("2020-01-01"), days: 1 });
      await sick({ kind: "http", url: url(expired, "https"), ca: certificate }, /expired/, true);
    });
    test("a plain server behind an https URL: never", async () => {
      await sick({ kind: "http", url: url(await serve(answer(200, "{}")), "https"), insecureTls: true }, /SSL|packet|wrong version/i, true);
    });
  });
});

describe("tcp", () => {
  test("accepts, and does not", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await healthy({ kind: "tcp", host: "127.0.0.1", port });
    await new Promise((resolve) => server.close(resolve));
    await sick({ kind: "tcp", host: "127.0.0.1", port }, /ECONNREFUSED/, false);
  });
});

describe("prometheus-targets", () => {
  let prometheus: TestChild;
  let url: string;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "understudy-prometheus-"));
    const ids = unprivileged();
    const port = await freePort();
    await writeFile(join(folder, "prometheus.yml"), `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - { job_name: up, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }
  - { job_name: down, static_configs: [{ targets: ["127.0.0.1:${port}", "127.0.0.1:${await freePort()}"] }] }
  - { job_name: slow, scrape_interval: 1h, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }
`);
    await chmod(folder, 0o755);
    if (ids !== undefined) await chown(folder, ids.uid, ids.gid);
    url = `http://127.0.0.1:${port}`;
    prometheus = startChild(
      "prometheus",
      [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
      { ...ids, cwd: folder },
    );
    cleanups.push(async () => {
      await prometheus.stop();
      await rm(folder, { recursive: true, force: true });
    });
    await prometheus.waitUntil(async () => {
      const result = await probe({ kind: "prometheus-targets", url, jobs: ["up"] });
      if (!result.ok) throw new Error(result.detail);
      const down = await probe({ kind: "prometheus-targets", url, jobs: ["down"] });
      if (down.detail.includes("not scraped yet")) throw new Error(down.detail);
    });
  });

  test("every target up", () => healthy({ kind: "prometheus-targets", url, jobs: ["up"] }));
  test("one target of one job down", () => sick({ kind: "prometheus-targets", url, jobs: ["up", "down"] }, /^job down, .*refused$/, false));
  test("a target not scraped yet is not up", () => sick({ kind: "prometheus-targets", url, jobs: ["slow"] }, /not scraped yet/, false));
  test("a job without targets", () => sick({ kind: "prometheus-targets", url, jobs: ["nobody"] }, /job nobody has no target/, false));
  test("Prometheus itself down", async () => sick({ kind: "prometheus-targets", url: `http://127.0.0.1:${await freePort()}`, jobs: ["up"] }, /ECONNREFUSED/, false));
});

test("interrupted: exit 130", async () => {
  await expect(probe({ kind: "tcp", host: "127.0.0.1", port: 1 }, AbortSignal.abort())).rejects.toMatchObject({ exitCode: 130 });
});
