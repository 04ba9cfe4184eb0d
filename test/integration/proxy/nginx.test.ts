import { createServer, type Server } from "node:http";
import { connect as http2Connect } from "node:http2";
import { connect as tlsConnect, createServer as createTlsServer } from "node:tls";
import { symlink } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { get as rawGet } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCertificate } from "../../../engine/tls/certificate.ts";
import { startNginx, type Answer, type TestNginx } from "../../support/nginx.ts";
import { freePort } from "../../support/ports.ts";

/** What every answer must carry, whoever made it. */
const alwaysThere: Readonly<Record<string, RegExp>> = {
  "x-environment": /^STAGING$/,
  "x-robots-tag": /^noindex, nofollow$/,
  "x-content-type-options": /^nosniff$/,
  "x-frame-options": /^DENY$/,
  "referrer-policy": /^strict-origin-when-cross-origin$/,
  "permissions-policy": /camera=\(\)/,
  "content-security-policy": /^default-src 'self'/,
  server: /^nginx$/,
};

function missingHeaders(answer: Answer, secure = true): string[] {
  const wanted = secure ? { ...alwaysThere, "strict-transport-security": /^max-age=86400$/ } : alwaysThere;
  return Object.entries(wanted)
    .filter(([name, pattern]) => !pattern.test(String(answer.headers[name] ?? "")))
    .map(([name]) => name);
}

/** A tiny app: answers by path, and tells what it was sent. */
async function startApp(name: string): Promise<{ server: Server; port: number; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url?.startsWith("/json") || request.url?.startsWith("/api")) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ name, headers: request.headers }));
      return;
    }
    if (request.url === "/own-error") response.statusCode = 503;
    if (request.url === "/not-found") response.statusCode = 404;
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.setHeader("x-frame-options", "SAMEORIGIN");
    response.end(`<!doctype html><html><head><title>x</title></head><body data-page="1"><h1>${name}</h1>${"lorem ".repeat(400)}</body></html>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, port: address.port, seen };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

describe("nginx with a healthy app", () => {
  let app: Awaited<ReturnType<typeof startApp>>;
  let nginx: TestNginx;
  beforeAll(async () => {
    app = await startApp("first");
    nginx = await startNginx(
      { upstreams: [{ host: "127.0.0.1", port: app.port }], bannerText: `It's "masked" & costs $5` },
      { "app.css": `body{color:red}${" ".repeat(600)}`, ".secret": "no" },
    );
  });
  afterAll(async () => {
    await nginx.stop();
    await close(app.server);
  });

  test("every kind of answer carries every header, once", async () => {
    const answers: Record<string, Answer> = {
      page: await nginx.get("/"),
      "app's own 404": await nginx.get("/not-found"),
      "app's own 503": await nginx.get("/own-error"),
      json: await nginx.get("/json"),
      health: await nginx.get("/api/health"),
      asset: await nginx.get("/static/app.css"),
      "missing asset": await nginx.get("/static/none.css"),
      "own health": await nginx.get("/nginx-health"),
      robots: await nginx.get("/robots.txt"),
      "internal path": await nginx.get("/metrics"),
      "body too large": await nginx.get("/json", { method: "POST", body: "x".repeat(2 * 1024 ** 2) }),
      "unknown host": await nginx.get("/", { headers: { host: "evil.example" } }),
      "internal location": await nginx.get("/__staging/error.html"),
      "bad request line": await nginx.get("/%zz"),
    };
    const missing = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, missingHeaders(answer)]));
    expect(missing).toEqual(Object.fromEntries(Object.keys(answers).map((name) => [name, []])));
    expect(Object.fromEntries(Object.entries(answers).map(([name, { status }]) => [name, status]))).toEqual({
      page: 200, "app's own 404": 404, "app's own 503": 503, json: 200, health: 200, asset: 200, "missing asset": 404,
      "own health": 200, robots: 200, "internal path": 404, "body too large": 413, "unknown host": 421, "internal location": 404, "bad request line": 400,
    });
    expect(answers["app's own 503"]?.headers["retry-after"]).toBeUndefined();
  });

  test("the check above sees a header that is missing", () => {
    expect(missingHeaders({ status: 200, headers: { server: "nginx/1.22.1" }, body: "" })).toContain("server");
    expect(missingHeaders({ status: 200, headers: {}, body: "" })).toHaveLength(Object.keys(alwaysThere).length + 1);
  });

  test("HTTP redirects to HTTPS, method and query kept, and never to a host that is not ours", async () => {
    const known = await nginx.getHttp("/stories?page=2", { headers: { host: "127.0.0.1:1" }, method: "POST" });
    expect(known.status).toBe(308);
    expect(known.headers.location).toBe(`https://127.0.0.1:${nginx.httpsPort}/stories?page=2`);
    expect(missingHeaders(known, false)).toEqual([]);
    expect(known.headers["strict-transport-security"]).toBeUndefined();
    const unknown = await nginx.getHttp("/x", { headers: { host: "evil.example" } });
    expect(unknown.headers.location).toBe(`https://localhost:${nginx.httpsPort}/x`);
    const plainOnTls = await nginx.getHttp("/y", { port: nginx.httpsPort, headers: { host: "localhost" } });
    expect(plainOnTls.status).toBe(308);
    expect(plainOnTls.headers.location).toBe(`https://localhost:${nginx.httpsPort}/y`);
  });

  test("TLS 1.1 is refused, 1.2 and 1.3 are spoken, with a client that could speak 1.1", async () => {
    const protocolOf = (port: number, version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3"): Promise<string | null> =>
      new Promise((resolve) => {
        const socket = tlsConnect({
          host: "127.0.0.1", port, minVersion: version, maxVersion: version, rejectUnauthorized: false, ciphers: "DEFAULT:@SECLEVEL=0",
        });
        socket.once("secureConnect", () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.once("error", () => resolve(null));
      });
    const { keyPem, certificatePem } = await createCertificate();
    const lax = createTlsServer({ key: keyPem, cert: certificatePem, minVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" });
    const laxPort = await freePort();
    await new Promise<void>((resolve) => lax.listen(laxPort, "127.0.0.1", resolve));
    expect(await protocolOf(laxPort, "TLSv1.1")).toBe("TLSv1.1");
    await new Promise((resolve) => lax.close(resolve));

    expect(await protocolOf(nginx.httpsPort, "TLSv1.1")).toBeNull();
    expect(await protocolOf(nginx.httpsPort, "TLSv1.2")).toBe("TLSv1.2");
    expect(await protocolOf(nginx.httpsPort, "TLSv1.3")).toBe("TLSv1.3");
  });

  test("speaks HTTP/2", async () => {
    const session = http2Connect(`https://127.0.0.1:${nginx.httpsPort}`, { ca: nginx.certificatePem });
    const status = await new Promise<unknown>((resolve, reject) => {
      session.once("error", reject);
      const stream = session.request({ ":path": "/json" });
      stream.once("response", (headers) => resolve(headers[":status"]));
      stream.resume();
    });
    session.close();
    expect(status).toBe(200);
  });

  test("puts the banner on pages, escaped, and leaves JSON alone", async () => {
    const page = await nginx.get("/");
    expect(page.body).toContain(`<b>STAGING</b><span>It&#39;s &quot;masked&quot; &amp; costs &#36;5</span></div></body>`);
    expect(page.body.match(/id="staging-banner"/g)).toHaveLength(1);
    expect(page.body).toContain(`<link rel="stylesheet" href="/__staging/proxy.css"></head>`);
    expect((await nginx.get("/json")).body).not.toContain("staging-banner");
    expect((await nginx.get("/static/none.css")).body).toContain("staging-banner");
    const styles = await nginx.get("/__staging/proxy.css");
    expect(styles.headers["content-type"]).toBe("text/css; charset=utf-8");
    expect(styles.body).toContain("#staging-banner{");
  });

  test("compresses for those who ask", async () => {
    const body = await new Promise<Buffer>((resolve, reject) => {
      rawGet(
        { host: "127.0.0.1", port: nginx.httpsPort, path: "/", ca: nginx.certificatePem, headers: { "accept-encoding": "gzip" } },
        (response) => {
          expect(response.headers["content-encoding"]).toBe("gzip");
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => resolve(Buffer.concat(chunks)));
        },
      ).on("error", reject);
    });
    const text = gunzipSync(body).toString();
    expect(text).toContain("staging-banner");
    expect(body.length).toBeLessThan(text.length / 2);
  });

  test("logs in document 004's format", async () => {
    await nginx.get("/json?logged=1", { headers: { "user-agent": "probe/1.0" } });
    await nginx.get("/static/app.css?logged=2", { headers: { "user-agent": "probe/2.0" } });
    const lines = await nginx.accessLog();
    const iso = String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d \[STAGING\] 127\.0\.0\.1 `;
    expect(lines.find((line) => line.includes("probe/1.0"))).toMatch(
      new RegExp(`${iso}"GET /json\\?logged=1 HTTP/1\\.1" 200 \\d+\\.\\d{3} \\d+\\.\\d{3} "probe/1\\.0"$`),
    );
    expect(lines.find((line) => line.includes("probe/2.0"))).toMatch(
      new RegExp(`${iso}"GET /static/app\\.css\\?logged=2 HTTP/1\\.1" 200 \\d+\\.\\d{3} - "probe/2\\.0"$`),
    );
    expect(lines.some((line) => line.includes("nginx-health"))).toBe(false);
  });

  test("tells the app who asked, and does not believe the client about itself", async () => {
    const { body } = await nginx.get("/json", {
      headers: { "x-forwarded-for": "6.6.6.6", "x-real-ip": "6.6.6.6", "x-forwarded-proto": "http", forwarded: "for=6.6.6.6" },
    });
    const { headers } = JSON.parse(body) as { headers: Record<string, string> };
    expect(headers).toMatchObject({
      host: `127.0.0.1:${nginx.httpsPort}`,
      "x-real-ip": "127.0.0.1",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": `127.0.0.1:${nginx.httpsPort}`,
      "x-forwarded-port": String(nginx.httpsPort),
    });
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
    expect(headers["forwarded"]).toBeUndefined();
  });

  test("caches assets, for ever when their address names a version, and hides what is hidden", async () => {
    expect((await nginx.get("/static/app.css")).headers["cache-control"]).toBe("public, max-age=300");
    expect((await nginx.get("/static/app.css?v=abc123")).headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect((await nginx.get("/static/none.css")).headers["cache-control"]).toBeUndefined();
    expect((await nginx.get("/static/.secret")).status).toBe(404);
    const escaping = join(nginx.folder, "static", "key.txt");
    await symlink(join(nginx.folder, "key.pem"), escaping);
    expect((await nginx.get("/static/key.txt")).status).toBe(403);
  });

  test("maintenance goes on and off with a file, and lets health through", async () => {
    await nginx.setMaintenance(true);
    const page = await nginx.get("/stories");
    expect([page.status, page.headers["retry-after"]]).toEqual([503, "120"]);
    expect(page.body).toContain("Back soon");
    expect(page.body).toContain("staging-banner");
    expect(missingHeaders(page)).toEqual([]);
    const posted = await nginx.get("/orders", { method: "POST", body: "a=1" });
    expect([posted.status, posted.body.includes("Back soon")]).toEqual([503, true]);
    const api = await nginx.get("/api/stories");
    expect([api.status, api.headers["content-type"]]).toEqual([503, "application/json; charset=utf-8"]);
    expect(JSON.parse(api.body)).toMatchObject({ error: { status: 503, code: "maintenance" } });
    expect((await nginx.get("/api/health")).status).toBe(200);
    expect((await nginx.get("/static/app.css")).status).toBe(200);
    await nginx.setMaintenance(false);
    expect((await nginx.get("/stories")).status).toBe(200);
  });

  test("stub_status has a port of its own", async () => {
    expect((await nginx.getHttp("/stub_status", { port: nginx.statusPort })).body).toMatch(/^Active connections: \d+/);
    expect((await nginx.get("/stub_status")).body).not.toContain("Active connections");
  });
});

describe("nginx with limits", () => {
  test("sign-in is limited strictly, pages generously, health and assets not at all", async () => {
    const app = await startApp("limited");
    const nginx = await startNginx(
      {
        upstreams: [{ host: "127.0.0.1", port: app.port }],
        rateLimits: { pagesPerSecond: 1, pagesBurst: 12, signInPerMinute: 1, signInBurst: 2 },
      },
      { "app.css": "a{}" },
    );
    try {
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 4; attempt += 1) {
        statuses.push((await nginx.get("/api/auth/sign-in", { method: "POST", body: "{}" })).status);
      }
      expect(statuses).toEqual([200, 200, 200, 429]);
      expect((await nginx.get("/api/auth/sign-in")).status).toBe(200);
      const refused = await nginx.get("/api/auth/sign-in", { method: "POST", body: "{}" });
      expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "5"]);
      expect(JSON.parse(refused.body)).toMatchObject({ error: { status: 429, code: "too_many_requests" } });

      const pages: number[] = [];
      for (let attempt = 0; attempt < 15; attempt += 1) pages.push((await nginx.get("/")).status);
      expect(pages[0]).toBe(200);
      expect(pages).toContain(429);
      const page = await nginx.get("/");
      expect([page.status, page.body.includes("Too many requests"), missingHeaders(page)]).toEqual([429, true, []]);

      for (const path of ["/api/health", "/static/app.css"]) {
        const free = await Promise.all(Array.from({ length: 30 }, () => nginx.get(path)));
        expect(free.every(({ status }) => status === 200)).toBe(true);
      }
    } finally {
      await nginx.stop();
      await close(app.server);
    }
  });
});

describe("nginx with an app that fails", () => {
  test("nobody listens: a page and JSON that say so, with every header", async () => {
    const nginx = await startNginx({ upstreams: [{ host: "127.0.0.1", port: await freePort() }] });
    try {
      const page = await nginx.get("/");
      expect([page.status, page.headers["content-type"]]).toEqual([502, "text/html; charset=utf-8"]);
      expect(page.body).toContain("<h1>The application does not answer</h1>");
      expect(page.body).toContain("staging-banner");
      expect(missingHeaders(page)).toEqual([]);
      const api = await nginx.get("/api/stories");
      expect([api.status, JSON.parse(api.body)]).toMatchObject([502, { error: { status: 502, code: "bad_gateway" } }]);
      expect(missingHeaders(api)).toEqual([]);
      expect((await nginx.get("/nginx-health")).status).toBe(200);
    } finally {
      await nginx.stop();
    }
  });

  test("one of two instances is down: every request is answered by the other", async () => {
    const app = await startApp("second");
    const nginx = await startNginx({
      upstreams: [{ host: "127.0.0.1", port: await freePort() }, { host: "127.0.0.1", port: app.port }],
    });
    try {
      const statuses = await Promise.all(Array.from({ length: 20 }, () => nginx.get("/json").then(({ status }) => status)));
      expect(statuses.every((status) => status === 200)).toBe(true);
      await close(app.server);
      expect((await nginx.get("/json")).status).toBe(502);
    } finally {
      await nginx.stop();
      if (app.server.listening) await close(app.server);
    }
  });
});
