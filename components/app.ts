import { resolve } from "node:path";
import { ComponentResource, interpolate, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { stagingRoles } from "../engine/staging/database.ts";
import type { Service } from "../platforms/platform.ts";
import type { Program } from "../platforms/spec.ts";
import type { After, StackContext } from "./context.ts";

export interface AppArgs extends After {
  readonly context: StackContext;
  readonly databasePassword: Output<string>;
  readonly cacheUrl: Output<string>;
}

/** In the app's configuration folder: assets it gives an address that changes with their content. */
const staticFolder = "static";

/** The application under staging: the workload's reference app, or the real one's command. */
export class App extends ComponentResource {
  readonly service: Service;
  /** Staging's one password for every sign-in: the users' own are masked. */
  readonly signInPassword: Output<string>;
  readonly healthPath: string;
  readonly metricsPath: string;

  constructor(name: string, args: AppArgs, opts: ComponentResourceOptions) {
    super("understudy:index:App", name, {}, opts);
    const { context, databasePassword, cacheUrl } = args;
    const { platform, config, ports, workload } = context;
    const { manifest } = workload;
    const host = platform.hostOf("app");
    const database = `${platform.hostOf("database")}:${ports.database}/${config.database.name}`;

    this.healthPath = config.app.healthPath ?? manifest.app.healthPath;
    this.metricsPath = config.app.metricsPath ?? manifest.app.metricsPath;
    this.signInPassword = platform.secret("sign-in-password", { parent: this });
    const sessionSecret = platform.secret("session-secret", { parent: this });

    this.service = platform.service(
      {
        name: "app",
        program: programOf(context),
        ports: { main: ports.app },
        environment: {
          NODE_ENV: "staging",
          HOST: host,
          PORT: String(ports.app),
          NEXTAUTH_URL: `https://localhost:${ports.https}`,
          NEXTAUTH_SECRET: sessionSecret,
          SESSION_SECRET: sessionSecret,
          STAGING_SIGN_IN_PASSWORD: this.signInPassword,
          DATABASE_URL: interpolate`postgresql://${stagingRoles.app}:${databasePassword}@${database}`,
          REDIS_URL: cacheUrl,
          ...(config.app.command === undefined ? { STATIC_FOLDER: `${platform.configFolder("app")}/${staticFolder}` } : {}),
          ...manifest.app.environment,
          ...config.app.environment,
        },
        ...(config.app.command === undefined ? { trees: [{ from: workload.path(manifest.proxy.static), to: staticFolder }] } : {}),
        probe: { kind: "http", path: this.healthPath, expectStatus: 200, ...(config.app.command === undefined ? { expectJson: { status: "healthy" } } : {}) },
        health: config.health,
      },
      { parent: this, ...(args.dependsOn === undefined ? {} : { dependsOn: args.dependsOn }) },
    );
    this.registerOutputs({ port: ports.app });
  }
}

function programOf({ config, workload, projectFolder }: StackContext): Program {
  const { command, workingFolder } = config.app;
  if (command === undefined) return { kind: "node-app", entry: workload.path(workload.manifest.app.entry) };
  return { kind: "command", command, workingFolder: resolve(projectFolder, workingFolder) };
}
