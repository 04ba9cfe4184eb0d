import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyData } from "../../../engine/copy/copy.ts";
import { withClient } from "../../support/postgres.ts";
import { startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";

let world: CopyWorld;

beforeAll(async () => {
  const sql = await readFile(join(import.meta.dirname, "awkward.sql"), "utf8");
  world = await startCopyWorld(async (settings) => {
    await withClient(settings, async (client) => {
      // pg sends one string as one transaction; the file has its own.
      for (const part of sql.split(/^(?:BEGIN|COMMIT);$/m)) await client.query(part);
      await client.query("ALTER ROLE reader BYPASSRLS");
    });
  });
});
afterAll(() => world.stop());

const keepAll = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "keep"]));

const masking = {
  version: 1,
  tables: {
    "Sales Data.Customer": {
      columns: {
        ...keepAll("code", "feelings", "range", "during", "picture"),
        "E-Mail": "email",
        select: "full-name",
        aliases: "text",
        score: { mask: "number", noisePercent: 10 },
        legacy: { mask: "json", paths: { a: "keep" } },
      },
    },
    category: { columns: { ...keepAll("tenant", "id"), title: "text" } },
    team: { columns: { id: "keep" } },
    member: { columns: { id: "keep", nick: "hash", ...keepAll("tenant", "category") } },
    purchase: { columns: { id: "keep", at: { mask: "date-shift", subject: "id", days: 300 }, region: "keep", note: "text" } },
    refund: { columns: { reason: "keep" } },
    event: { columns: keepAll("id", "what") },
    login_event: { columns: { ...keepAll("id", "what"), ip: "ip" } },
    "audit.line": { leaveOut: true },
    country: { columns: keepAll("iso", "label") },
    address: { columns: keepAll("id", "member") },
  },
};

/** A partition key that is shifted by a column its references do not have: it has to be kept where others point to it. */
const keptDates = {
  ...masking,
  tables: { ...masking.tables, purchase: { columns: { ...masking.tables.purchase.columns, at: "keep" } } },
};

const counts = `SELECT
  (SELECT count(*)::int FROM "Sales Data"."Customer") AS customers, (SELECT count(*)::int FROM category) AS categories, (SELECT count(*)::int FROM team) AS teams,
  (SELECT count(*)::int FROM member) AS members, (SELECT count(*)::int FROM purchase) AS purchases, (SELECT count(*)::int FROM refund) AS refunds,
  (SELECT count(*)::int FROM ONLY event) AS events, (SELECT count(*)::int FROM login_event) AS logins, (SELECT count(*)::int FROM audit.line) AS lines,
  (SELECT count(*)::int FROM country) AS countries, (SELECT count(*)::int FROM address) AS addresses`;

describe.sequential("copy of an awkward schema", () => {
  test("whole: every kind of table, key and type arrives, with all proofs", async () => {
    const { report } = await copyData(await world.options({ masking: keptDates, subset: { version: 1, whole: "all" } }));
    expect(report.checks.filter(({ status }) => status !== "passed")).toEqual([]);
    const [source] = await world.askSource(counts);
    expect(await world.askStaging(counts)).toEqual([{ ...source, lines: 0 }]);

    const kept = `SELECT code, feelings, range, during, picture, "select" IS NULL AS missing, cardinality(aliases) AS aliases FROM "Sales Data"."Customer" ORDER BY code`;
    expect(await world.askStaging(kept)).toEqual(await world.askSource(kept));
    expect(await world.askStaging(`SELECT count(*)::int FROM "Sales Data"."Customer" WHERE "name upper" IS DISTINCT FROM upper("select")`)).toEqual([{ count: 0 }]);
    expect(await world.askStaging(`SELECT count(*)::int FROM "Sales Data"."Customer" WHERE "E-Mail" NOT LIKE 'user-%@staging.local'`)).toEqual([{ count: 0 }]);
    expect(await world.askStaging(`SELECT count(*)::int FROM purchase JOIN "Sales Data"."Customer" ON customer = "E-Mail"`)).toEqual(
      await world.askSource("SELECT count(customer)::int FROM purchase"),
    );
    expect(await world.askStaging(`SELECT legacy::text AS legacy FROM "Sales Data"."Customer" LIMIT 1`)).toEqual([{ legacy: expect.stringMatching(/^\{"a": \d+\}$/) }]);
    expect(await world.askStaging("SELECT tableoid::regclass::text AS name, count(*)::int FROM purchase GROUP BY 1 ORDER BY 1")).toEqual(
      await world.askSource("SELECT tableoid::regclass::text AS name, count(*)::int FROM purchase GROUP BY 1 ORDER BY 1"),
    );
    expect(await world.askStaging(`SELECT most::int FROM "top"`)).toEqual(await world.askSource(`SELECT most::int FROM "top"`));
    expect(await world.askStaging(`SELECT nextval('"Sales Data"."Invoice No"')::int AS no, nextval('member_id_seq')::int AS member`)).toEqual([{ no: 740, member: 31 }]);
    expect(await world.askStaging("SELECT host(ip) ~ '^(10\\.|fd00:)' AS masked, masklen(ip) AS length FROM login_event ORDER BY id")).toEqual([
      { masked: true, length: 32 },
      { masked: true, length: 64 },
    ]);
    const catalog = `SELECT (SELECT count(*)::int FROM pg_trigger WHERE NOT tgisinternal) AS triggers, (SELECT count(*)::int FROM pg_policy) AS policies,
      (SELECT count(*)::int FROM pg_index JOIN pg_class c ON c.oid = indrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN ('public', 'Sales Data')) AS indexes,
      (SELECT count(*)::int FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE nspname IN ('public', 'Sales Data') AND contype IN ('p', 'u', 'f', 'c')) AS constraints`;
    expect(await world.askStaging(catalog)).toEqual(await world.askSource(catalog));
  });

  test("a masked partition key sends rows to where they then belong", async () => {
    const tables = { ...masking.tables, refund: { leaveOut: true } };
    const { report } = await copyData(await world.options({ masking: { version: 1, tables }, subset: { version: 1, whole: "all" } }));
    expect(report.checks.filter(({ status }) => status !== "passed")).toEqual([]);
    const [moved] = await world.askStaging("SELECT count(*)::int FROM purchase_old");
    const [before] = await world.askSource("SELECT count(*)::int FROM purchase_old");
    expect(moved?.["count"]).toBeGreaterThan(Number(before?.["count"]));
    expect(await world.askStaging("SELECT count(*)::int FROM purchase")).toEqual([{ count: 120 }]);
  });

  test("a subset over cycles, composite and self references, partitions and keys that are not primary", async () => {
    const subset = {
      version: 1,
      roots: [
        { table: "Sales Data.Customer", limit: 3 },
        { table: "team", limit: 2, orderBy: ["id"] },
        { table: "address", where: "address.id BETWEEN 1 AND 4" },
      ],
      children: { rules: { "category(tenant, parent)": "skip", "member(tenant, category)": "skip", "address(iso)": "skip", "address(member)": "skip" } },
    };
    const { report } = await copyData(await world.options({ masking: keptDates, subset }));
    expect(report.checks.filter(({ status, severity }) => status !== "passed" && severity === "error")).toEqual([]);
    const [there] = await world.askStaging(counts);
    // Two teams, each the home of the other's captain, with their members; two more come with the addresses' members.
    expect(there).toMatchObject({ customers: 3, lines: 0, countries: 2, addresses: 4, teams: 4 });
    const [purchases] = await world.askSource(`SELECT count(*)::int FROM purchase WHERE customer IN (SELECT "E-Mail" FROM "Sales Data"."Customer" ORDER BY 1 LIMIT 3)`);
    expect(there?.["purchases"]).toBe(purchases?.["count"]);
    expect(Number(there?.["refunds"])).toBeGreaterThan(0);
    expect(Number(there?.["members"])).toBeLessThan(30);
    expect(await world.askStaging("SELECT count(*)::int FROM category c WHERE parent IS NOT NULL AND NOT EXISTS (SELECT FROM category p WHERE (p.tenant, p.id) = (c.tenant, c.parent))")).toEqual([{ count: 0 }]);
  });

  test("two columns that are masked apart cannot be one key: said before anything is copied", async () => {
    const tables = { ...masking.tables, category: { columns: { ...masking.tables.category.columns, tenant: { mask: "number", bucket: 5 } } } };
    await expect(copyData(await world.options({ masking: { version: 1, tables }, subset: { version: 1, whole: "all" } }))).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/member\.tenant: keep, but it refers to category\.tenant, which is number/),
    });
  });
});
