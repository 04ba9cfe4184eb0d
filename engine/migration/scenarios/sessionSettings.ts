import { failed, noneOf } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { withObserver } from "../context.ts";
import type { RehearsalContext } from "../context.ts";
import { quoteIdentifier, quoteLiteral } from "../../postgres/identifier.ts";
import { connectionOf } from "../../staging/database.ts";
import { withSession } from "../../postgres/session.ts";
import { describeRefusal } from "../run/apply.ts";
import type { Applied } from "../run/apply.ts";
import { checksumAll, sameChecksum } from "../state/checksums.ts";
import { compareSchemas, describeDifference } from "../state/schema.ts";
import { takeSnapshot } from "../state/snapshot.ts";
import type { Cycle } from "./cycle.ts";

export const sessionSettings: CheckDefinition = {
  id: "edge-cases.session-settings",
  title: "Time zone and date style of the session, clock changes included, make no difference",
  remedy: "Say the zone (`AT TIME ZONE 'UTC'`, `timestamptz '… +00'`) and write dates as 2026-03-29: the tool that ships it may run under other settings than staging.",
};

/** Settings that no server has by itself: zones with clock changes and an offset in minutes, dates in another order. */
export const foreignSettings = {
  up: { TimeZone: "Pacific/Chatham", DateStyle: "SQL, DMY", IntervalStyle: "sql_standard" },
  down: { TimeZone: "America/St_Johns", DateStyle: "German, DMY", IntervalStyle: "postgres_verbose" },
} as const;

/**
 * Gives the sessions that begin on a clone from now on other settings, as another server would.
 * @param settings none sets back what staging itself has
 */
export async function setDefaults(context: RehearsalContext, clone: string, settings: Readonly<Record<string, string>> | undefined): Promise<void> {
  const { staging } = context.clones;
  await withSession(connectionOf(staging, "admin", "postgres"), { applicationName: "understudy rehearsal", signal: context.signal }, async (client) => {
    const { rows } = await client.query<{ entry: string }>(
      "SELECT unnest(s.setconfig) AS entry FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = $1 AND s.setrole = 0",
      [staging.database],
    );
    const own = new Map(rows.map(({ entry }) => [entry.slice(0, entry.indexOf("=")).toLowerCase(), entry.slice(entry.indexOf("=") + 1)]));
    for (const name of Object.keys(foreignSettings.up)) {
      const value = settings?.[name] ?? own.get(name.toLowerCase());
      await client.query(`ALTER DATABASE ${quoteIdentifier(clone)} ${value === undefined ? `RESET ${name}` : `SET ${name} = ${quoteLiteral(value)}`}`);
    }
  });
}

/** Holds what up left under foreign settings against what it left in the main course. */
export async function sameAsAfterUp(context: RehearsalContext, clone: string, { afterUp, anew, repeatable }: Cycle): Promise<string[]> {
  return withObserver(context, clone, async (observer) => {
    const now = await takeSnapshot(observer);
    const sums = await checksumAll(observer, now.tables, anew, now.rows);
    const schema = afterUp === undefined ? [] : compareSchemas(afterUp.schema, now.schema);
    const rows = [...repeatable].filter(([name, sum]) => !sameChecksum(sum, sums.get(name))).map(([name]) => `other rows in ${name}`);
    return [...schema.map(describeDifference), ...rows];
  });
}

/** Holds what down left under foreign settings against the state before the migration. */
export async function sameAsBefore(context: RehearsalContext, clone: string, { before }: Cycle): Promise<string[]> {
  return withObserver(context, clone, async (observer) => {
    const now = await takeSnapshot(observer);
    const schema = before === undefined ? [] : compareSchemas(before.schema, now.schema).filter(({ kind }) => kind !== "column order");
    const rows = [...(before?.rows ?? [])].filter(([name, sum]) => !sameChecksum(sum, now.rows.get(name))).map(([name]) => `rows of ${name} not as before`);
    return [...schema.map(describeDifference), ...rows];
  });
}

/** The verdict on both directions; down is undefined where it could not be tried. */
export function settingsOutcome(up: readonly string[], down: readonly string[] | undefined): Outcome {
  const words = ({ TimeZone, DateStyle }: { readonly TimeZone: string; readonly DateStyle: string }) => `${TimeZone} and ${DateStyle}`;
  const findings = [
    ...up.map((finding) => `up under ${words(foreignSettings.up)}: ${finding}`),
    ...(down ?? []).map((finding) => `down under ${words(foreignSettings.down)}: ${finding}`),
  ];
  return noneOf(findings, `Up under ${words(foreignSettings.up)} came to the same schema and rows${down === undefined ? "" : `, and down under ${words(foreignSettings.down)} back to those before`}.`);
}

/** The verdict when the server refuses up under foreign settings, though it took it in the main course. */
export function settingsRefused({ refusal }: Applied): Outcome {
  const { TimeZone, DateStyle } = foreignSettings.up;
  return failed(`up under ${TimeZone} and ${DateStyle}: ${describeRefusal(refusal)}`);
}
