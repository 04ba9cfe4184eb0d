import { randomBytes } from "node:crypto";
import { exitCode, UnderstudyError } from "../errors.ts";
import { loadMaskingPolicy } from "../masking/policy.ts";
import type { LargeObjectRule, MaskingPolicy } from "../masking/policy.ts";
import { deriveDomainKey, keyBytes } from "../masking/key.ts";
import { domainOf } from "../masking/rule.ts";
import { connectionOf } from "../staging/database.ts";
import { withSession } from "../postgres/session.ts";
import { markerOf, requireMarker } from "../staging/marker.ts";
import { qualified } from "./catalog.ts";
import type { Catalog } from "./catalog.ts";
import { databaseNames } from "./databases.ts";
import { identityOf, refuseSameDatabase, refuseWriter, writePowers } from "./guard.ts";
import type { DatabaseIdentity } from "./guard.ts";
import { chooseLargeObjects } from "./largeObjects.ts";
import { leakDomain } from "./leakProbes.ts";
import type { CopyOptions } from "./options.ts";
import { tryMasks } from "./preflight.ts";
import { readCatalog } from "./readCatalog.ts";
import { selectRows } from "./selection.ts";
import type { Selection } from "./selection.ts";
import { missingExtensions } from "./settle.ts";
import { sourceFault } from "./sourceFault.ts";
import { exportSnapshot, openSource, useApplicationNames } from "./sourceSession.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { Stages } from "./stages.ts";
import { planSubset } from "./subsetPlan.ts";
import type { SubsetPlan } from "./subsetPlan.ts";
import { loadSubsetPolicy } from "./subsetPolicy.ts";
import { resolveTreatments } from "./treatments.ts";
import type { TableTreatment } from "./treatments.ts";

/** Everything decided and tried, nothing written yet. */
export interface PreparedCopy {
  readonly lead: SourceSession;
  readonly snapshot: string;
  readonly keys: ReadonlyMap<string, Buffer>;
  /** Of the hash by which originals are looked for. */
  readonly leakSeed: Buffer;
  readonly identity: DatabaseIdentity;
  readonly powers: readonly string[];
  readonly catalog: Catalog;
  readonly treatments: readonly TableTreatment[];
  readonly plan: SubsetPlan;
  readonly selection: Selection;
  readonly largeObjects: { readonly rule: LargeObjectRule; readonly oids: readonly number[] };
  readonly targetVersion: number;
}

/**
 * Checks both sides, opens the source and decides what is copied and how; then runs `use` while the snapshot stands.
 * @throws UnderstudyError for whatever makes a copy impossible or unsafe, before anything is written.
 */
export async function withPreparedCopy<Result>(
  options: CopyOptions,
  stages: Stages,
  use: (prepared: PreparedCopy) => Promise<Result>,
): Promise<Result> {
  const masking = await loadMaskingPolicy(options.workload);
  const subset = await loadSubsetPolicy(options.workload);
  const target = await stages.run("check the target", () => inspectTarget(options));
  const leakSeed = randomBytes(keyBytes);
  const keys = new Map(domainsOf(masking).map((domain) => [domain, deriveDomainKey(options.maskingKey, domain)])).set(leakDomain, leakSeed);
  const lead = await openSource(options.source, { keys, signal: options.signal });
  try {
    const { client } = lead;
    const { identity, powers, catalog, snapshot } = await stages.run("check the source", async () => {
      const identity = await identityOf(client);
      refuseSameDatabase(identity, target.identity, Object.values(databaseNames(options.staging.database)));
      const powers = await writePowers(client);
      refuseWriter(powers, options.source, options.allowWritableSource ?? false);
      const snapshot = await exportSnapshot(lead);
      const catalog = await readCatalog(client);
      await lockTables(lead, catalog);
      await refuseUnsuitableTarget(options, target.version, catalog);
      return { identity, powers, catalog, snapshot };
    });
    const treatments = resolveTreatments(masking, catalog);
    const plan = planSubset(subset, catalog, treatments, options.limit);
    await useApplicationNames(lead);
    const selection = await stages.run("choose rows", () =>
      selectRows(client, plan, catalog.tables).catch((cause: unknown) => {
        throw sourceFault(cause, "choosing rows");
      }),
    );
    const rule = masking.largeObjects ?? "leaveOut";
    const oids = rule === "leaveOut" ? [] : await chooseLargeObjects(client, treatments, selection, catalog.serverVersion);
    await stages.run("try the masks", () => tryMasks(lead, treatments, selection, catalog.serverVersion));
    return await use({ lead, snapshot, keys, leakSeed, identity, powers, catalog, treatments, plan, selection, largeObjects: { rule, oids }, targetVersion: target.version });
  } finally {
    await lead.close();
  }
}

/** The first thing a copy does: no marker, no copy. */
async function inspectTarget(options: CopyOptions): Promise<{ identity: DatabaseIdentity; version: number }> {
  const settings = connectionOf(options.staging, "admin");
  return withSession(settings, { applicationName: "understudy copy", readOnly: true, signal: options.signal }, async (client) => {
    requireMarker(await markerOf(client), settings, options.stack);
    const { rows } = await client.query<{ version: number }>("SELECT current_setting('server_version_num')::int AS version");
    return { identity: await identityOf(client), version: rows[0]?.version ?? 0 };
  });
}

/** Rows keep their places while nobody may rewrite the tables; readers and writers are not in the way. */
async function lockTables(lead: SourceSession, catalog: Catalog): Promise<void> {
  if (catalog.tables.length === 0) return;
  await lead.client.query(`LOCK TABLE ${catalog.tables.map(qualified).join(", ")} IN ACCESS SHARE MODE`).catch((cause: unknown) => {
    throw sourceFault(cause, "locking tables against being rewritten");
  });
}

async function refuseUnsuitableTarget(options: CopyOptions, targetVersion: number, catalog: Catalog): Promise<void> {
  const problems: string[] = [];
  const major = (version: number): number => Math.floor(version / 10_000);
  if (major(targetVersion) < major(catalog.serverVersion)) {
    problems.push(`the target is PostgreSQL ${major(targetVersion)}, older than the source's ${major(catalog.serverVersion)}`);
  }
  const session = { applicationName: "understudy copy", readOnly: true, signal: options.signal };
  const missing = await withSession(connectionOf(options.staging, "admin"), session, (client) =>
    missingExtensions(client, catalog.extensions.map(({ name }) => name)),
  );
  if (missing.length > 0) problems.push(`the target lacks the extension(s) ${missing.join(", ")}`);
  if (problems.length === 0) return;
  throw new UnderstudyError(`Nothing was copied: ${problems.join("; ")}.`, {
    exitCode: exitCode.provisioning,
    remedy: "Install what is missing on the staging server.",
  });
}

/** Every domain that the policy's rules hash under. */
export function domainsOf(policy: MaskingPolicy): string[] {
  const rules = Object.values(policy.tables).flatMap((table) => Object.values(table.columns ?? {}));
  const domains = rules.flatMap((rule) => {
    if (rule.mask !== "json") return [domainOf(rule)];
    return Object.values(rule.paths).map((leaf) => domainOf(typeof leaf === "string" ? { mask: leaf } : leaf));
  });
  return [...new Set(domains)];
}
