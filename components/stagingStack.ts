import { all, ComponentResource, secret, type ComponentResourceOptions, type Input, type Output, type Resource } from "@pulumi/pulumi";
import { connectionFromUrl } from "../engine/postgres/url.ts";
import type { ConnectionSettings } from "../engine/postgres/connection.ts";
import type { StagingDatabase } from "../engine/staging/database.ts";
import { Backup } from "../resources/backup.ts";
import { DataCopy } from "../resources/dataCopy.ts";
import { MigrationTest } from "../resources/migrationTest.ts";
import { SampleSource } from "../resources/sampleSource.ts";
import { StagingSetup } from "../resources/stagingSetup.ts";
import { Validation } from "../resources/validation.ts";
import type { CopyDescription, TargetDescription } from "../resources/validationTarget.ts";
import type { Service } from "../platforms/platform.ts";
import { Admin } from "./admin.ts";
import { App } from "./app.ts";
import { Cache } from "./cache.ts";
import type { StackContext } from "./context.ts";
import { Database } from "./database.ts";
import { DatabasePool } from "./databasePool.ts";
import { DatabaseReplica } from "./databaseReplica.ts";
import { hashOf } from "./hash.ts";
import { Monitoring } from "./monitoring.ts";
import { Proxy } from "./proxy.ts";
import { ScheduledBackup } from "./scheduledBackup.ts";
import { targetOf } from "./target.ts";

export interface StagingStackArgs {
  readonly context: StackContext;
  /** Supervisor's name of the stack on this machine. */
  readonly stackId: string;
}

/** Production, and how to tell one from another. */
interface Source {
  readonly connection: Input<ConnectionSettings>;
  readonly identity: string;
  readonly allowWritable: boolean;
  readonly dependsOn: Resource[];
  readonly services: Service[];
}

/**
 * The whole: database → source → backup → copy → cache → app → proxy → monitoring → rehearsal → validation,
 * each waiting only for what it needs.
 */
export class StagingStack extends ComponentResource {
  readonly target: Output<TargetDescription>;
  readonly urls: Readonly<Record<string, string>>;
  readonly reports: Output<Record<string, string>>;
  /** What `understudy copy` needs, a secret. */
  readonly copying: Output<CopyDescription>;

  constructor(name: string, args: StagingStackArgs, opts?: ComponentResourceOptions) {
    super("understudy:index:StagingStack", name, {}, opts);
    const { context, stackId } = args;
    const { config, ports, platform, workload, stack, reportsFolder } = context;
    const workloadFolder = workload.folder;
    const { manifest } = workload;
    const common = { workloadFolder, stack, reportsFolder };

    const database = new Database("database", { context, service: "database", port: ports.database, settings: config.database.settings }, { parent: this });
    const staging = stagingOf(context, database, this);
    const setup = new StagingSetup(
      "staging-setup",
      {
        staging,
        workloadFolder,
        stack,
        schemaHash: hashOf(workload, [...manifest.database.schema, ...manifest.database.staging]),
        volumeId: database.volume.id,
      },
      { parent: this, dependsOn: [database.service.resource] },
    );

    const replica =
      config.database.replicas > 0 ? new DatabaseReplica("database-replica", { context, primary: database, staging, dependsOn: [setup] }, { parent: this }) : undefined;

    const source = sourceOf(context, this);
    const { limit, revision, ...sourceBounds } = config.copy;
    const policyHash = hashOf(workload, [manifest.copy.masking, manifest.copy.subset]);
    const copyTrigger = [policyHash, source.identity, String(limit), String(revision)].join("/");
    const backup = new Backup(
      "backup",
      {
        staging,
        stack,
        folder: reportsFolder,
        keepHours: config.backup.keepHours,
        before: database.volume.id.apply((id) => `${copyTrigger}/${id}`),
      },
      { parent: this, dependsOn: [setup] },
    );
    const maskingKey = platform.secret("masking-key", { parent: this });
    this.copying = secret(
      all([source.connection, maskingKey]).apply(([connection, key]) => ({
        source: connection,
        maskingKey: key,
        limit,
        allowWritableSource: source.allowWritable,
        sourceBounds,
      })),
    );
    const copy = new DataCopy(
      "data-copy",
      {
        ...common,
        source: secret(source.connection),
        staging,
        maskingKey,
        limit,
        allowWritableSource: source.allowWritable,
        sourceBounds,
        policyHash,
        sourceIdentity: source.identity,
        volumeId: database.volume.id,
        revision,
      },
      { parent: this, dependsOn: [backup, setup, ...source.dependsOn] },
    );

    const scheduledBackup = config.backup.everyHours > 0 ? new ScheduledBackup("scheduled-backup", { context, staging, dependsOn: [copy] }, { parent: this }) : undefined;
    const appPassword = staging.apply(({ passwords }) => passwords.app);
    const pool = config.database.pooling ? new DatabasePool("database-pool", { context, appPassword, dependsOn: [copy] }, { parent: this }) : undefined;
    const cache = new Cache("cache", { context }, { parent: this });
    const beforeApp = [replica, pool].flatMap((component) => component?.service.resource ?? []);
    const app = new App("app", { context, databasePassword: appPassword, cache, dependsOn: [copy, cache.ready, ...beforeApp] }, { parent: this });
    const proxy = new Proxy("proxy", { context, app, dependsOn: app.instances.map(({ resource }) => resource) }, { parent: this });
    const monitoring = config.monitoring.enabled
      ? new Monitoring(
          "monitoring",
          {
            context,
            app,
            cache,
            replica: replica?.service,
            scheduledBackup: scheduledBackup?.service,
            databasePassword: staging.apply(({ passwords }) => passwords.readOnly),
            certificateNotAfter: proxy.certificateNotAfter,
            watched: { postgres: setup, redis: cache.ready, nginx: proxy.service.resource },
          },
          { parent: this },
        )
      : undefined;

    const admin = config.admin.enabled ? new Admin("admin", { context, dependsOn: [setup] }, { parent: this }) : undefined;

    const rehearsal = config.rehearsal.enabled
      ? new MigrationTest(
          "migration-test",
          {
            ...common,
            staging,
            backupFile: backup.file,
            migrationsHash: hashOf(workload, [manifest.migrations.folder, manifest.migrations.expectations, manifest.integrity]),
            ...(config.sourceUrl === undefined ? { targetRows: config.source.users } : {}),
            copyId: copy.copyId,
            revision: config.rehearsal.revision,
          },
          { parent: this, dependsOn: [copy, ...app.instances.map(({ resource }) => resource)] },
        )
      : undefined;

    const services = [
      database.service,
      ...[replica, pool, scheduledBackup].flatMap((component) => component?.service ?? []),
      ...source.services,
      ...cache.services,
      ...app.instances,
      proxy.service,
      ...(monitoring?.services ?? []),
      ...(admin === undefined ? [] : [admin.service]),
    ];
    this.target = targetOf({ context, staging, cache, app, proxy, pool, scheduledBackup, monitoring, source: source.connection, services });
    const validation = config.validation.enabled
      ? new Validation(
          "validation",
          {
            target: this.target,
            stackId,
            workloadFolder,
            reportsFolder,
            quick: config.validation.quick,
            checksHash: hashOf(workload, [manifest.validation, manifest.integrity]),
            subject: all([...services.map(({ fingerprint }) => fingerprint), copy.copyId]),
            revision: config.validation.revision,
          },
          { parent: this, dependsOn: [...services.map(({ resource }) => resource), copy, ...(rehearsal === undefined ? [] : [rehearsal])] },
        )
      : undefined;

    this.reports = all({
      backup: backup.file,
      dataCopy: copy.reportHtml,
      ...(rehearsal === undefined ? {} : { migrationTest: rehearsal.reportHtml }),
      ...(validation === undefined ? {} : { validation: validation.reportHtml }),
    });
    this.urls = { app: proxy.url, health: `${proxy.url}${app.healthPath}`, ...monitoring?.urls, ...(admin === undefined ? {} : { pgadmin: admin.url }) };
    this.registerOutputs({ urls: this.urls, reports: this.reports });
  }
}

function stagingOf({ platform, ports, config }: StackContext, database: Database, parent: Resource): Output<StagingDatabase> {
  const passwords: Output<StagingDatabase["passwords"]> = all([
    database.adminPassword,
    platform.secret("owner-password", { parent }),
    platform.secret("app-password", { parent }),
    platform.secret("read-only-password", { parent }),
  ]).apply(([admin, owner, app, readOnly]) => ({ admin, owner, app, readOnly }));
  return passwords.apply((passwords) => ({
    host: platform.hostOf("database"),
    port: ports.database,
    database: config.database.name,
    passwords,
    ...(config.database.replicas === 0 ? {} : { replica: { host: platform.hostOf("database-replica"), port: ports.databaseReplica } }),
  }));
}

function sourceOf(context: StackContext, parent: Resource): Source {
  const { config, ports, platform, workload } = context;
  if (config.sourceUrl !== undefined) {
    const connection = connectionFromUrl(config.sourceUrl);
    const { host, port, database } = connection;
    return { connection, identity: `${host}:${port}/${database}`, allowWritable: config.source.allowWritable, dependsOn: [], services: [] };
  }
  const server = new Database("source", { context, service: "source", port: ports.source, settings: { fsync: "off", full_page_writes: "off" } }, { parent });
  const { manifest } = workload;
  const generatorHash = hashOf(workload, [...manifest.database.schema, ...manifest.source.generate]);
  const sample = new SampleSource(
    "sample-source",
    {
      server: server.adminPassword.apply((adminPassword) => ({ host: platform.hostOf("source"), port: ports.source, adminPassword })),
      readerPassword: platform.secret("source-reader-password", { parent: server }),
      workloadFolder: workload.folder,
      users: config.source.users,
      generatorHash,
      volumeId: server.volume.id,
    },
    { parent: server, dependsOn: [server.service.resource] },
  );
  return {
    connection: sample.reader,
    identity: `sample/${config.source.users}/${generatorHash}`,
    allowWritable: config.source.allowWritable,
    dependsOn: [sample],
    services: [server.service],
  };
}
