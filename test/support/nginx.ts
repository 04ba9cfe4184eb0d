import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderNginxConf, type NginxInput } from "../../components/proxy/nginx-conf.ts";
import { createCertificate } from "../../engine/tls/certificate.ts";
import { startChild, type TestChild } from "./child.ts";
import { freePort } from "./ports.ts";
import { unprivileged } from "./unprivileged.ts";

/** A real nginx with our configuration, wholly unprivileged, on free loopback ports. */
export interface TestNginx {
  readonly child: TestChild;
  readonly folder: string;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly statusPort: number;
  readonly certificatePem: string;
  get(path: string, options?: RequestOptions): Promise<Answer>;
  getHttp(path: string, options?: RequestOptions & { port?: number }): Promise<Answer>;
  accessLog(): Promise<string[]>;
  setMaintenance(on: boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Files that a test wants under `/static/`, besides `maintenance.html`. */
export async function startNginx(
  overrides: Partial<NginxInput> & Pick<NginxInput, "upstreams">,
  assets: Readonly<Record<string, string>> = {},
): Promise<TestNginx> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-nginx-"));
  const [httpsPort, httpPort, statusPort] = [await freePort(), await freePort(), await freePort()];
  const certificate = await createCertificate();
  const staticFolder = join(folder, "static");
  await mkdir(staticFolder);
  const files = {
    "certificate.pem": certificate.certificatePem,
    "key.pem": certificate.keyPem,
    "static/maintenance.html": "<!doctype html><html><head></head><body><h1>Back soon</h1></body></html>",
    ...Object.fromEntries(Object.entries(assets).map(([name, text]) => [`static/${name}`, text])),
    "nginx.conf": renderNginxConf({
      folder,
      httpsPort,
      httpPort,
      statusPort,
      listenHosts: ["127.0.0.1"],
      publicHost: "localhost",
      certificateFile: join(folder, "certificate.pem"),
      keyFile: join(folder, "key.pem"),
      staticFolder,
      maintenanceFlagFile: join(folder, "maintenance.on"),
      accessLog: join(folder, "access.log"),
      bannerText: "Masked data. Nothing here is real.",
      workerProcesses: 1,
      ...overrides,
    }),
  };
  const ids = unprivileged();
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    if (ids !== undefined) await chown(join(folder, name), ids.uid, ids.gid);
  }
  if (ids !== undefined) {
    await chown(staticFolder, ids.uid, ids.gid);
    await chown(folder, ids.uid, ids.gid);
  }
  const child = startChild("/usr/sbin/nginx", ["-e", "stderr", "-p", folder, "-c", join(folder, "nginx.conf")], {
    ...ids,
    cwd: folder,
    env: {},
  });
  const getHttp: TestNginx["getHttp"] = (path, options = {}) =>
    answerOf(httpRequest({ host: "127.0.0.1", port: options.port ?? httpPort, path, method: options.method ?? "GET", headers: { ...options.headers } }), options.body);
  await child.waitUntil(() => getHttp("/nginx-health", { port: statusPort }));
  return {
    child,
    folder,
    httpsPort,
    httpPort,
    statusPort,
    certificatePem: certificate.certificatePem,
    get: (path, options = {}) =>
      answerOf(
        httpsRequest({
          host: "127.0.0.1",
          port: httpsPort,
          path,
          method: options.method ?? "GET",
          headers: { ...options.headers },
          ca: certificate.certificatePem,
          servername: "localhost",
          agent: false,
        }),
        options.body,
      ),
    getHttp,
    accessLog: async () => (await readFile(join(folder, "access.log"), "utf8")).trim().split("\n"),
    setMaintenance: async (on) => {
      if (on) await writeFile(join(folder, "maintenance.on"), "");
      else await rm(join(folder, "maintenance.on"), { force: true });
    },
    stop: async () => {
      await child.stop("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answerOf(request: ReturnType<typeof httpRequest>, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.setTimeout(10_000, () => request.destroy(new Error("no answer within 10 s")));
    request.once("error", reject);
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.end(body);
  });
}
