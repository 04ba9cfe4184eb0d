import type { ConnectionSettings } from "../postgres/connection.ts";

/** The roles of a staging server. Only `admin` is a superuser; it is ours alone and never reaches the app. */
export const stagingRoles = {
  /** Superuser made by initdb: creates databases and roles, switches blue and green. */
  admin: "understudy_admin",
  /** Owns the database, its schemas and tables; runs migrations. */
  owner: "staging_owner",
  /** The application: reads and writes rows, no DDL. */
  app: "staging_user",
  /** Reads only: exporters, validation, people. */
  readOnly: "staging_readonly",
} as const;
export type StagingRole = keyof typeof stagingRoles;

/** A staging server and its one database, with every role's password. */
export interface StagingDatabase {
  readonly host: string;
  readonly port: number;
  /** Default `staging_db`. */
  readonly database: string;
  readonly passwords: Readonly<Record<StagingRole, string>>;
  /** Where its read replica is, when it has one: same roles, same passwords. */
  readonly replica?: { readonly host: string; readonly port: number };
}

/** Connection settings of one role; `database` other than staging's own for maintenance ("postgres") or a clone. */
export function connectionOf(
  staging: StagingDatabase,
  role: StagingRole,
  database: string = staging.database,
): ConnectionSettings {
  return {
    host: staging.host,
    port: staging.port,
    database,
    user: stagingRoles[role],
    password: staging.passwords[role],
  };
}

/** As {@link connectionOf}, to each replica; none when there is none. */
export function replicaConnectionsOf(
  staging: StagingDatabase,
  role: StagingRole,
  database: string = staging.database,
): ConnectionSettings[] {
  const { replica } = staging;
  return replica === undefined ? [] : [{ ...connectionOf(staging, role, database), ...replica }];
}
