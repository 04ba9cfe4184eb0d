import { z } from "zod";
import { stagingRoles, type StagingDatabase } from "../staging/database.ts";
import { connectionFromUrl } from "../postgres/url.ts";

/** The environment of the service `scheduled-backup`. */
const environment = z.object({
  HOST: z.string().min(1),
  PORT: z.coerce.number().int(),
  /** As the stack's superuser; a secret. */
  BACKUP_DATABASE_URL: z.string().min(1),
  BACKUP_STACK: z.string().min(1),
  BACKUP_FOLDER: z.string().min(1),
  BACKUP_EVERY_SECONDS: z.coerce.number().positive(),
  BACKUP_KEEP_HOURS: z.coerce.number().positive(),
});

export interface ScheduleSettings {
  readonly host: string;
  readonly port: number;
  readonly staging: StagingDatabase;
  readonly stack: string;
  readonly folder: string;
  readonly intervalMs: number;
  readonly keepHours: number;
}

/** @throws with every wrong variable's name; never a value. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): ScheduleSettings {
  const result = environment.safeParse(env);
  if (!result.success) throw new Error(`wrong environment: ${result.error.issues.map(({ path }) => path.join(".")).join(", ")}`);
  const { data } = result;
  const { host, port, database, password } = connectionFromUrl(data.BACKUP_DATABASE_URL);
  // Only the superuser signs in here.
  const passwords = Object.fromEntries(Object.keys(stagingRoles).map((role) => [role, password])) as StagingDatabase["passwords"];
  return {
    host: data.HOST,
    port: data.PORT,
    staging: { host, port, database, passwords },
    stack: data.BACKUP_STACK,
    folder: data.BACKUP_FOLDER,
    intervalMs: data.BACKUP_EVERY_SECONDS * 1_000,
    keepHours: data.BACKUP_KEEP_HOURS,
  };
}
