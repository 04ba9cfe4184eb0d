import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { stagingRoles } from "../engine/staging/database.ts";
import type { Service } from "../platforms/platform.ts";
import type { After, StackContext } from "./context.ts";

export interface AdminArgs extends After {
  readonly context: StackContext;
}

/** Who signs in; the address is nobody's. */
const administrator = "admin@staging.local";

/** pgAdmin, which knows staging's database; its user is the one that only reads, until a person enters another. */
export class Admin extends ComponentResource {
  readonly service: Service;
  readonly url: string;

  constructor(name: string, args: AdminArgs, opts: ComponentResourceOptions) {
    super("understudy:index:Admin", name, {}, opts);
    const { platform, config, ports, workload, stack } = args.context;
    const database = platform.addressOf("database", ports.database);

    this.url = `http://127.0.0.1:${ports.pgadmin}`;
    this.service = platform.service(
      {
        name: "pgadmin",
        program: { kind: "pgadmin", serversFile: "servers.json" },
        ports: { main: ports.pgadmin },
        environment: { PGADMIN_DEFAULT_EMAIL: administrator, PGADMIN_DEFAULT_PASSWORD: platform.secret("pgadmin-password", { parent: this }) },
        files: [{ path: "servers.json", content: renderServers({ name: `${workload.manifest.title} (${stack})`, address: database, database: config.database.name }) }],
        volume: "pgadmin",
        probe: { kind: "http", path: "/misc/ping", expectStatus: 200 },
        health: config.health,
      },
      { parent: this, volume: platform.volume("pgadmin", "pgadmin", { parent: this }), ...(args.dependsOn === undefined ? {} : { dependsOn: args.dependsOn }) },
    );
    this.registerOutputs({ url: this.url });
  }
}

/** What pgAdmin reads at its first start. Holds no password. */
export function renderServers(input: { readonly name: string; readonly address: { readonly host: string; readonly port: number }; readonly database: string }): string {
  const { name, address, database } = input;
  const server = { Name: name, Group: "Staging", Host: address.host, Port: address.port, MaintenanceDB: database, Username: stagingRoles.readOnly, SSLMode: "prefer" };
  return `${JSON.stringify({ Servers: { 1: server } }, null, 2)}\n`;
}
