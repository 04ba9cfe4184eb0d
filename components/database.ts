import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { stagingRoles } from "../engine/staging/database.ts";
import type { Service, Volume } from "../platforms/platform.ts";
import type { StackContext } from "./context.ts";

/** A PostgreSQL server: own data, own account, SCRAM passwords, one superuser that is the stack's own. */
export interface DatabaseArgs {
  readonly context: StackContext;
  /** Service name; also the name of its volume. */
  readonly service: string;
  readonly port: number;
  /** Settings of postgresql.conf beyond the stack's own. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Fit for a staging machine: room for the copy's workers, the rehearsal's traffic and the app. */
export const baseSettings: Readonly<Record<string, string>> = {
  max_connections: "100",
  // Both are ceilings: a small database takes up neither. A migration of a million rows runs half as long for them.
  shared_buffers: "512MB",
  max_wal_size: "4GB",
  checkpoint_timeout: "15min",
  // For a replica that is away; one that stays away longer is made anew.
  max_slot_wal_keep_size: "1GB",
  password_encryption: "scram-sha-256",
  log_line_prefix: "%m [%p] %q%u@%d ",
  log_timezone: "UTC",
  timezone: "UTC",
  logging_collector: "off",
  log_min_duration_statement: "-1",
  log_parameter_max_length_on_error: "0",
};

export class Database extends ComponentResource {
  readonly service: Service;
  readonly volume: Volume;
  readonly adminPassword: Output<string>;

  constructor(name: string, args: DatabaseArgs, opts: ComponentResourceOptions) {
    super("understudy:index:Database", name, {}, opts);
    const { context, service, port, settings } = args;
    const { platform, config } = context;
    const adminUser = stagingRoles.admin;

    this.adminPassword = platform.secret(`${service}-admin-password`, { parent: this });
    this.volume = platform.volume(service, "postgres", { parent: this });
    this.service = platform.service(
      {
        name: service,
        program: { kind: "postgres", adminUser, adminPassword: this.adminPassword, settings: { ...baseSettings, ...settings } },
        ports: { main: port },
        volume: service,
        logs: { timestamps: false },
        probe: { kind: "postgres", database: "postgres", user: adminUser, password: this.adminPassword },
        health: config.health,
      },
      { parent: this, volume: this.volume },
    );
    this.registerOutputs({ port });
  }
}
