import { ComponentResource, interpolate, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { stagingRoles } from "../engine/staging/database.ts";
import type { Service } from "../platforms/platform.ts";
import type { After, StackContext } from "./context.ts";

export interface DatabasePoolArgs extends After {
  readonly context: StackContext;
  readonly appPassword: Output<string>;
}

/** PgBouncer between the app and the primary: many clients on few connections, each for one transaction. */
export class DatabasePool extends ComponentResource {
  readonly service: Service;

  constructor(name: string, args: DatabasePoolArgs, opts: ComponentResourceOptions) {
    super("understudy:index:DatabasePool", name, {}, opts);
    const { context, appPassword } = args;
    const { platform, config, ports } = context;
    const folder = platform.configFolder("database-pool");
    const primary = platform.addressOf("database", ports.database);

    this.service = platform.service(
      {
        name: "database-pool",
        program: { kind: "pgbouncer", configFile: "pgbouncer.ini" },
        ports: { main: ports.databasePool },
        files: [
          {
            path: "pgbouncer.ini",
            content: pgbouncerIni({ listen: platform.listenAddress("database-pool", ports.databasePool), primary, database: config.database.name, userList: `${folder}/users.txt` }),
          },
          { path: "users.txt", content: interpolate`"${stagingRoles.app}" "${appPassword}"\n`, secret: true },
        ],
        logs: { timestamps: false },
        probe: { kind: "postgres", database: config.database.name, user: stagingRoles.app, password: appPassword },
        health: config.health,
      },
      { parent: this, ...(args.dependsOn === undefined ? {} : { dependsOn: args.dependsOn }) },
    );
    this.registerOutputs({ port: ports.databasePool });
  }
}

/** `pgbouncer.ini`, the passwords in a file of their own. */
export function pgbouncerIni(args: {
  readonly listen: { readonly host: string; readonly port: number };
  readonly primary: { readonly host: string; readonly port: number };
  readonly database: string;
  readonly userList: string;
}): string {
  const { listen, primary, database, userList } = args;
  return [
    "[databases]",
    `${database} = host=${primary.host} port=${primary.port} dbname=${database}`,
    "",
    "[pgbouncer]",
    `listen_addr = ${listen.host}`,
    `listen_port = ${listen.port}`,
    "unix_socket_dir =",
    "auth_type = scram-sha-256",
    `auth_file = ${userList}`,
    "pool_mode = transaction",
    // Within PostgreSQL's 100: the copy, the rehearsal and people connect as well.
    "default_pool_size = 20",
    "max_client_conn = 500",
    "server_connect_timeout = 3",
    // A primary that restarts, or a switch of databases, is waited out; a client is not told of it.
    "query_wait_timeout = 10",
    "server_login_retry = 1",
    // Clients set these when they connect; on connections shared by all they mean nothing.
    "ignore_startup_parameters = extra_float_digits,options,statement_timeout,lock_timeout,idle_in_transaction_session_timeout",
    "log_connections = 0",
    "log_disconnections = 0",
    "",
  ].join("\n");
}
