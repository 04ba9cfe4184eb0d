import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import type { Service } from "../platforms/platform.ts";
import type { App } from "./app.ts";
import type { After, StackContext } from "./context.ts";
import { renderNginxConf } from "./proxy/nginx-conf.ts";
import { accessLogName, drainFlag, proxyFiles } from "./proxyFiles.ts";

export interface ProxyArgs extends After {
  readonly context: StackContext;
  readonly app: App;
}

/** nginx: TLS in front of the app, marked as staging on every response. */
export class Proxy extends ComponentResource {
  readonly service: Service;
  readonly url: string;
  /** ISO 8601. */
  readonly certificateNotAfter: Output<string>;

  constructor(name: string, args: ProxyArgs, opts: ComponentResourceOptions) {
    super("understudy:index:Proxy", name, {}, opts);
    const { context, app } = args;
    const { platform, config, ports, workload } = context;
    const folder = platform.configFolder("proxy");
    const listenHosts = platform.listenHosts();
    const listen = (port: number) => platform.listenAddress("proxy", port);
    const certificate = platform.certificate("certificate", { parent: this });

    this.certificateNotAfter = certificate.notAfter;
    this.url = `https://localhost:${ports.https}`;
    this.service = platform.service(
      {
        name: "proxy",
        program: { kind: "nginx", configFile: "nginx.conf" },
        ports: { main: ports.https, redirect: ports.http, status: ports.nginxStatus },
        files: [
          {
            path: "nginx.conf",
            content: renderNginxConf({
              folder: platform.scratchFolder("proxy"),
              httpsPort: listen(ports.https).port,
              httpPort: listen(ports.http).port,
              publicHttpsPort: ports.https,
              statusPort: listen(ports.nginxStatus).port,
              statusHost: listen(ports.nginxStatus).host,
              listenHosts,
              publicHost: "localhost",
              certificateFile: `${folder}/${proxyFiles.certificate}`,
              keyFile: `${folder}/${proxyFiles.key}`,
              upstreams: app.instances.map(({ name, port }) => ({ ...platform.addressOf(name, port), drainFlagFile: `${folder}/${drainFlag(name)}` })),
              healthPath: app.healthPath,
              staticFolder: `${folder}/static`,
              maintenanceFlagFile: `${folder}/${proxyFiles.maintenanceFlag}`,
              accessLog: "/dev/stdout",
              bannerText: config.proxy.bannerText,
              maxBodyBytes: config.proxy.maxBodyMb * 1024 ** 2,
              rateLimits: config.proxy.rateLimits,
              ...(config.proxy.contentSecurityPolicy === undefined ? {} : { contentSecurityPolicy: config.proxy.contentSecurityPolicy }),
              workerProcesses: 1,
            }),
          },
          { path: proxyFiles.certificate, content: certificate.certificatePem },
          { path: proxyFiles.key, content: certificate.keyPem, secret: true },
        ],
        trees: [{ from: workload.path(workload.manifest.proxy.static), to: "static" }],
        logs: { timestamps: false, routes: [{ name: accessLogName, pattern: "^[^ ]+ \\[STAGING\\] " }] },
        probe: { kind: "http", path: app.healthPath, tls: true, expectStatus: 200 },
        health: config.health,
      },
      { parent: this, ...(args.dependsOn === undefined ? {} : { dependsOn: args.dependsOn }) },
    );
    this.registerOutputs({ url: this.url });
  }
}
