import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyData } from "../../../engine/copy/copy.ts";
import type { CopyOptions } from "../../../engine/copy/copy.ts";
import { exportSnapshot, openSource } from "../../../engine/copy/sourceSession.ts";
import type { MaskingPolicy } from "../../../engine/masking/policy.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { fillWithStories, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { freePort } from "../../support/ports.ts";

let world: CopyWorld;
let masking: MaskingPolicy;

beforeAll(async () => {
  world = await startCopyWorld(fillWithStories(150));
  masking = parse(await readFile("workloads/stories/copy/masking.yaml", "utf8")) as MaskingPolicy;
});
afterAll(() => world.stop());

describe.sequential("a copy refuses", () => {
  const refused = async (changes: Partial<CopyOptions>, policies = {}) => copyData(await world.options(policies, changes)).then(() => "copied", (error: unknown) => error);

  test("a target without the marker, before it looks at the source", async () => {
    const staging = { ...world.staging, database: "postgres" };
    const source = { ...(await world.options()).source, port: await freePort() };
    expect(await refused({ staging, source })).toMatchObject({ exitCode: 4, message: expect.stringContaining("no staging marker") });
  });

  test("another stack's staging", async () => {
    expect(await refused({ stack: "other" })).toMatchObject({ exitCode: 2, message: expect.stringContaining('belongs to stack "test"') });
  });

  test("a target that is the source, by whatever name", async () => {
    const source = { ...connectionOf(world.staging, "readOnly"), host: "localhost" };
    expect(await refused({ source })).toMatchObject({ exitCode: 4, message: expect.stringContaining("one and the same database") });
  });

  test("a role that could write, unless it is allowed by name", async () => {
    const source = world.production.admin("production");
    expect(await refused({ source })).toMatchObject({ exitCode: 2, message: expect.stringMatching(/is a superuser.*may write to 5 table\(s\)/) });
    const { report } = await copyData(await world.options({}, { source, allowWritableSource: true }));
    expect(report).toMatchObject({ verdict: "passed", source: { writePowers: expect.arrayContaining(["is a superuser"]) } });
  });

  test("a source that is down, or whose password is wrong, without showing it", async () => {
    const { source } = await world.options();
    expect(await refused({ source: { ...source, port: await freePort() } })).toMatchObject({ exitCode: 3, message: expect.stringContaining("Cannot open the source") });
    const wrong = (await refused({ source: { ...source, password: "not-the-password" } })) as Error;
    expect(wrong).toMatchObject({ exitCode: 3, remedy: "Check the user and its password." });
    expect(JSON.stringify([wrong, wrong.message, String(wrong.cause)])).not.toContain("not-the-password");
  });

  test("a role that does not see everything", async () => {
    await world.askSource(`REVOKE SELECT ON "Order", "Donation_id_seq" FROM reader`);
    const error = await refused({});
    await world.askSource(`GRANT SELECT ON "Order", "Donation_id_seq" TO reader; ALTER TABLE "Story" ENABLE ROW LEVEL SECURITY`);
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(/no SELECT on table Order.*no SELECT on sequence Donation_id_seq/) });
    const hidden = await refused({});
    await world.askSource(`ALTER TABLE "Story" DISABLE ROW LEVEL SECURITY`);
    expect(hidden).toMatchObject({ exitCode: 2, message: expect.stringContaining("row security hides rows of Story") });
  });

  test("masks that would collide or break a constraint, named before anything is made", async () => {
    const wrong = structuredClone(masking);
    Object.assign(wrong.tables["User"]?.columns ?? {}, { email: "first-name", preferences: { mask: "expression", sql: "'[]'" } });
    Object.assign(wrong.tables["Order"]?.columns ?? {}, { amountCents: { mask: "expression", sql: "-1" } });
    Object.assign(wrong.tables["Donation"]?.columns ?? {}, { donorEmail: "first-name" });
    const before = await world.databases();
    expect(await refused({ limit: 120 }, { masking: wrong })).toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/Order: CHECK Order_amountCents_check in \d+ row.*User: CHECK User_preferences_is_object in \d+ row.*User: \d+ value\(s\) of unique User_email_key \(email\) would be there twice/),
    });
    expect(await world.databases()).toEqual(before);
  });

  test("masks that a domain, NOT NULL, an enum or a unique generated column refuses, without a value and before anything is made", async () => {
    await world.askSource(`
      CREATE DOMAIN code AS text CHECK (VALUE ~ '^[A-Z]{3}$');
      CREATE TYPE tone AS ENUM ('high', 'low');
      CREATE TABLE fitting (id int PRIMARY KEY, code code, codes code[], needed text NOT NULL, tone tone, name text, amount int, initial text GENERATED ALWAYS AS (left(name, 9)) STORED UNIQUE);
      INSERT INTO fitting SELECT i, 'ABC', ARRAY['XYZ']::code[], 'needed', 'low', 'somebody ' || i, i FROM generate_series(1, 1) i;
      INSERT INTO fitting SELECT i, 'ABC', NULL, 'needed', 'low', i || ' somebody', i FROM generate_series(2, 9) i;
      GRANT SELECT ON fitting TO reader`);
    const withColumns = (columns: Record<string, unknown>) => {
      const keep = Object.fromEntries(["id", "code", "codes", "needed", "tone", "name", "amount"].map((name) => [name, "keep"]));
      return { subset: { version: 1, whole: "all" }, masking: { version: 1, tables: { ...masking.tables, fitting: { columns: { ...keep, ...columns } } } } };
    };
    const errors = [
      await refused({}, withColumns({
        code: "text",
        codes: "token",
        needed: { mask: "expression", sql: "NULLIF('x', left('xy', 1 + id % 2))" },
        tone: { mask: "expression", sql: "'medium'" },
        amount: { mask: "constant", value: "many" },
      })),
      await refused({}, withColumns({ name: { mask: "expression", sql: "'same for all'" } })),
    ];
    await world.askSource("DROP TABLE fitting; DROP TYPE tone; DROP DOMAIN code");
    expect(errors[0]).toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(
        /fitting\.code: its mask does not fit public\.code, whose CHECK refuses it; fitting\.codes: its mask does not fit public\.code\[\], whose CHECK refuses it; fitting\.needed: NULL in 4 row\(s\) of a column that is NOT NULL; fitting\.tone: its mask does not fit public\.tone; fitting\.amount: its mask does not fit integer/,
      ),
    });
    expect(errors[1]).toMatchObject({ exitCode: 4, message: expect.stringMatching(/1 value\(s\) of unique fitting_initial_key \(initial\) would be there twice/) });
    expect((errors[0] as Error).message).not.toMatch(/ABC|XYZ|somebody/);
    expect(await world.databases()).not.toContain("staging_db_next");
  });

  test("an exclusion constraint that masks would break", async () => {
    await world.askSource(`
      CREATE TABLE stay (id int PRIMARY KEY, room int4range, came date, went date, who int, EXCLUDE USING gist (room WITH &&, daterange(came, went) WITH &&) WHERE (id > 0));
      INSERT INTO stay SELECT i, int4range(1, 2), date '2024-01-01' + i * 4, date '2024-01-04' + i * 4, i FROM generate_series(1, 40) i;
      GRANT SELECT ON stay TO reader`);
    const shifted = (rule: Record<string, unknown>) =>
      refused({}, {
        subset: { version: 1, whole: "all" },
        masking: { version: 1, tables: { ...masking.tables, stay: { columns: { id: "keep", room: "keep", who: "keep", came: { mask: "date-shift", ...rule }, went: { mask: "date-shift", ...rule } } } } },
      });
    const [byRow, apart, alike] = [await shifted({ subject: "id" }), await shifted({}), await shifted({ subject: "room" })];
    await world.askSource("DROP TABLE stay");
    expect(byRow).toMatchObject({ exitCode: 4, message: expect.stringMatching(/stay: EXCLUDE stay_room_daterange_excl by \d+ pair\(s\) of rows/) });
    expect(apart).toMatchObject({ exitCode: 4, message: expect.stringContaining("masks make a range whose end comes before its beginning") });
    expect(alike).toBe("copied");
  });

  test("a virtual reference whose sides are masked apart", async () => {
    const wrong = structuredClone(masking);
    Object.assign(wrong.tables["Donation"]?.columns ?? {}, { donorEmail: "hash" });
    expect(await refused({}, { masking: wrong })).toMatchObject({ exitCode: 2, message: expect.stringContaining("Donation.donorEmail is hash and User.email is email in masking.yaml") });
  });

  test("rules that do not fit, and a subset that names what is not there, all at once", async () => {
    const wrong = structuredClone(masking);
    Object.assign(wrong.tables["User"]?.columns ?? {}, { email: "null", role: "email", createdAt: { mask: "date-shift", subject: "nobody" } });
    expect(await refused({}, { masking: wrong })).toMatchObject({ exitCode: 4, message: expect.stringMatching(/User\.email: null.*User\.role: email treats text, not enum.*User\.createdAt: date-shift by nobody/) });
    const subset = { version: 1, roots: [{ table: "Users" }, { table: "User", orderBy: ["age"] }], cut: ["Order(userId)", "Story(writer)"] };
    expect(await refused({}, { subset })).toMatchObject({ exitCode: 2, message: expect.stringMatching(/Story\(writer\): no such reference.*cut Order\(userId\): NOT NULL.*no table Users.*no column age/) });
  });

  test("an error of the source does not quote its data", async () => {
    const wrong = structuredClone(masking);
    Object.assign(wrong.tables["User"]?.columns ?? {}, { name: { mask: "expression", sql: `("email"::int)::text` } });
    const error = (await refused({}, { masking: wrong })) as Error;
    expect(error).toMatchObject({ exitCode: 3, message: expect.stringContaining("its text may quote data and is not shown") });
    expect(JSON.stringify([error.message, String(error.cause)])).not.toContain("@");
    expect(await world.databases()).not.toContain("staging_db_next");
  });

  test("a load balancer that splits sessions", async () => {
    const one = await openSource(world.production.admin("production"), { keys: new Map() });
    const snapshot = await exportSnapshot(one);
    await expect(openSource(world.target.admin(), { keys: new Map() }, snapshot)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("they reach different servers") });
    await one.close();
  });
});
