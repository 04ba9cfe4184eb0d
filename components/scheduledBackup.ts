import { join } from "node:path";
import { ComponentResource, interpolate, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { stagingRoles, type StagingDatabase } from "../engine/staging/database.ts";
import type { Service } from "../platforms/platform.ts";
import type { After, StackContext } from "./context.ts";

export interface ScheduledBackupArgs extends After {
  readonly context: StackContext;
  readonly staging: Output<StagingDatabase>;
}

const name = "scheduled-backup";
const entry = join(import.meta.dirname, "..", "engine", "backup", "scheduleServer.ts");

/** Backs the primary up every few hours, into the stack's own data, and removes what is too old. */
export class ScheduledBackup extends ComponentResource {
  readonly service: Service;

  constructor(resourceName: string, args: ScheduledBackupArgs, opts: ComponentResourceOptions) {
    super("understudy:index:ScheduledBackup", resourceName, {}, opts);
    const { context, staging } = args;
    const { platform, config, ports, stack } = context;
    const adminPassword = staging.apply(({ passwords }) => passwords.admin);
    const listen = platform.listenAddress(name, ports.scheduledBackup);
    const database = platform.addressOf("database", ports.database);

    this.service = platform.service(
      {
        name,
        program: { kind: "node-app", entry },
        ports: { main: ports.scheduledBackup },
        environment: {
          HOST: listen.host,
          PORT: String(listen.port),
          BACKUP_DATABASE_URL: interpolate`postgresql://${stagingRoles.admin}:${adminPassword}@${database.host}:${database.port}/${config.database.name}`,
          BACKUP_STACK: stack,
          BACKUP_FOLDER: platform.dataFolder(name),
          BACKUP_EVERY_SECONDS: String(config.backup.everyHours * 3_600),
          BACKUP_KEEP_HOURS: String(config.backup.keepHours),
        },
        volume: name,
        probe: { kind: "http", path: "/health", expectStatus: 200 },
        health: config.health,
      },
      { parent: this, volume: platform.volume(name, "node-app", { parent: this }), ...(args.dependsOn === undefined ? {} : { dependsOn: args.dependsOn }) },
    );
    this.registerOutputs({ port: ports.scheduledBackup });
  }
}
