import { resolve } from "node:path";
import { ComponentResource, interpolate, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import { appPorts } from "../config.ts";
import { stagingRoles } from "../engine/staging/database.ts";
import type { Service } from "../platforms/platform.ts";
import type { Program } from "../platforms/spec.ts";
import type { Cache } from "./cache.ts";
import type { After, StackContext } from "./context.ts";
import { drainFlag } from "./proxyFiles.ts";

export interface AppArgs extends After {
  readonly context: StackContext;
  readonly databasePassword: Output<string>;
  readonly cache: Cache;
}

/** In the app's configuration folder: assets it gives an address that changes with their content. */
const staticFolder = "static";

/** The application under staging: the workload's reference app, or the real one's command; one instance or several. */
export class App extends ComponentResource {
  readonly instances: readonly Service[];
  /** Staging's one password for every sign-in: the users' own are masked. */
  readonly signInPassword: Output<string>;
  readonly healthPath: string;
  readonly metricsPath: string;

  constructor(name: string, args: AppArgs, opts: ComponentResourceOptions) {
    super("understudy:index:App", name, {}, opts);
    const { context } = args;
    const { platform, config, workload } = context;
    const { manifest } = workload;

    this.healthPath = config.app.healthPath ?? manifest.app.healthPath;
    this.metricsPath = config.app.metricsPath ?? manifest.app.metricsPath;
    this.signInPassword = platform.secret("sign-in-password", { parent: this });
    const sessionSecret = platform.secret("session-secret", { parent: this });
    const environment = environmentOf(args, { signInPassword: this.signInPassword, sessionSecret });

    const instances: Service[] = [];
    for (const key of appPorts.slice(0, config.app.replicas)) {
      const instance = instances.length === 0 ? "app" : `app-${instances.length + 1}`;
      instances.push(this.#createInstance(args, { name: instance, port: context.ports[key], after: instances.at(-1), environment }));
    }
    this.instances = instances;
    this.registerOutputs({ ports: instances.map(({ port }) => port) });
  }

  /** Each waits for the one before it, so that a change goes through them one at a time. */
  #createInstance(
    args: AppArgs,
    own: { readonly name: string; readonly port: number; readonly after: Service | undefined; readonly environment: Readonly<Record<string, Input<string>>> },
  ): Service {
    const { context, dependsOn = [] } = args;
    const { platform, config, workload } = context;
    const { name, port, after, environment } = own;
    const isReference = config.app.command === undefined;
    const listen = platform.listenAddress(name, port);
    return platform.service(
      {
        name,
        program: programOf(context),
        ports: { main: port },
        environment: {
          ...environment,
          HOST: listen.host,
          PORT: String(listen.port),
          ...(isReference ? { STATIC_FOLDER: `${platform.configFolder(name)}/${staticFolder}` } : {}),
          ...workload.manifest.app.environment,
          ...config.app.environment,
        },
        ...(isReference ? { trees: [{ from: workload.path(workload.manifest.proxy.static), to: staticFolder }] } : {}),
        ...(config.app.replicas === 1 ? {} : { drain: { service: "proxy", path: drainFlag(name) } }),
        probe: { kind: "http", path: this.healthPath, expectStatus: 200, ...(isReference ? { expectJson: { status: "healthy" } } : {}) },
        health: config.health,
      },
      { parent: this, dependsOn: [...dependsOn, ...(after === undefined ? [] : [after.resource])] },
    );
  }
}

function environmentOf(
  { context, databasePassword, cache }: AppArgs,
  secrets: { readonly signInPassword: Output<string>; readonly sessionSecret: Output<string> },
): Readonly<Record<string, Input<string>>> {
  const { platform, config, ports } = context;
  const database = (service: string, publicPort: number) => {
    const { host, port } = platform.addressOf(service, publicPort);
    return interpolate`postgresql://${stagingRoles.app}:${databasePassword}@${host}:${port}/${config.database.name}`;
  };
  return {
    NODE_ENV: "staging",
    NEXTAUTH_URL: `https://localhost:${ports.https}`,
    NEXTAUTH_SECRET: secrets.sessionSecret,
    SESSION_SECRET: secrets.sessionSecret,
    STAGING_SIGN_IN_PASSWORD: secrets.signInPassword,
    DATABASE_URL: config.database.pooling ? database("database-pool", ports.databasePool) : database("database", ports.database),
    ...(config.database.replicas === 0 ? {} : { DATABASE_REPLICA_URL: database("database-replica", ports.databaseReplica) }),
    REDIS_URL: cache.url,
    ...(cache.nodes.length === 0
      ? {}
      : { REDIS_CLUSTER_NODES: cache.nodes.map(({ host, port }) => `${host}:${port}`).join(","), REDIS_PASSWORD: cache.password }),
  };
}

function programOf({ config, workload, projectFolder }: StackContext): Program {
  const { command, workingFolder } = config.app;
  if (command === undefined) return { kind: "node-app", entry: workload.path(workload.manifest.app.entry) };
  return { kind: "command", command, workingFolder: resolve(projectFolder, workingFolder) };
}
