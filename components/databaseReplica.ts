import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { replicaSlot, replicationRole } from "../engine/postgres/replication.ts";
import { stagingRoles, type StagingDatabase } from "../engine/staging/database.ts";
import type { Service } from "../platforms/platform.ts";
import { Replication } from "../resources/replication.ts";
import type { After, StackContext } from "./context.ts";
import { baseSettings, type Database } from "./database.ts";

export interface DatabaseReplicaArgs extends After {
  readonly context: StackContext;
  readonly primary: Database;
  readonly staging: Output<StagingDatabase>;
}

const name = "database-replica";

/** A healthy replica is no further behind than this; a copy's whole switch is smaller. */
const maxLagBytes = 1024 ** 2;

/** A PostgreSQL server that follows the primary by streaming replication, and answers reads. */
export class DatabaseReplica extends ComponentResource {
  readonly service: Service;

  constructor(resourceName: string, args: DatabaseReplicaArgs, opts: ComponentResourceOptions) {
    super("understudy:index:DatabaseReplica", resourceName, {}, opts);
    const { context, primary, staging } = args;
    const { platform, config, ports } = context;
    const { adminPassword } = primary;

    const password = platform.secret("replication-password", { parent: this });
    const replication = new Replication(
      "replication",
      { staging, password, slot: replicaSlot, volumeId: primary.volume.id },
      { parent: this, dependsOn: [primary.service.resource, ...(args.dependsOn ?? [])] },
    );
    this.service = platform.service(
      {
        name,
        program: {
          kind: "postgres",
          adminUser: stagingRoles.admin,
          adminPassword,
          settings: { ...baseSettings, ...config.database.settings },
          standbyOf: { ...platform.addressOf("database", ports.database), user: replicationRole, password, slot: replicaSlot, base: replication.base },
        },
        ports: { main: ports.databaseReplica },
        volume: name,
        logs: { timestamps: false },
        probe: { kind: "postgres", database: "postgres", user: stagingRoles.admin, password: adminPassword, standby: { maxLagBytes } },
        health: config.health,
      },
      { parent: this, volume: platform.volume(name, "postgres", { parent: this }), dependsOn: [replication] },
    );
    this.registerOutputs({ port: ports.databaseReplica });
  }
}
