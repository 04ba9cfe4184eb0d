import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyData, planCopy } from "../../../engine/copy/copy.ts";
import { startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { withClient } from "../../support/postgres.ts";

let world: CopyWorld;

const people = 2_000;

beforeAll(async () => {
  world = await startCopyWorld(async (settings) => {
    await withClient(settings, (client) =>
      client.query(`
        CREATE TABLE person (id int PRIMARY KEY, mentor int REFERENCES person, email text);
        CREATE TABLE post (id int PRIMARY KEY, writer int REFERENCES person, editor int REFERENCES person);
        CREATE TABLE photo (id int PRIMARY KEY, owner int NOT NULL REFERENCES person);
        -- A diamond: a tag of a post by a person, who also owns the tag.
        CREATE TABLE tag (id int PRIMARY KEY, post int NOT NULL REFERENCES post, owner int NOT NULL REFERENCES person);
        -- Polymorphic: of a post or a photo, as its type says. And one that only an email leads to.
        CREATE TABLE remark (id int PRIMARY KEY, kind text, of_id int, note text);
        CREATE TABLE letter (id int PRIMARY KEY, "to" text);
        -- A composite key of which a part may be missing.
        CREATE TABLE slot (day int, hour int, PRIMARY KEY (day, hour));
        CREATE TABLE visit (id int PRIMARY KEY, who int REFERENCES person, day int, hour int, FOREIGN KEY (day, hour) REFERENCES slot);
        INSERT INTO person SELECT i, CASE WHEN i % 10 = 0 THEN i - 1 END, 'p' || i || '@x.example' FROM generate_series(1, ${people}) i;
        INSERT INTO post SELECT i, 1 + i % ${people}, 1 + (i * 7) % ${people} FROM generate_series(1, 4000) i;
        INSERT INTO photo SELECT i, 1 + i % ${people} FROM generate_series(1, 4000) i;
        INSERT INTO tag SELECT i, i, 1 + i % ${people} FROM generate_series(1, 4000) i;
        INSERT INTO remark SELECT i, CASE i % 2 WHEN 0 THEN 'post' ELSE 'photo' END, i / 2, 'n' FROM generate_series(2, 4000) i;
        INSERT INTO letter SELECT i, 'p' || (1 + i % ${people}) || '@x.example' FROM generate_series(1, 4000) i;
        INSERT INTO slot SELECT d, h FROM generate_series(1, 20) d, generate_series(1, 20) h;
        INSERT INTO visit SELECT i, 1 + i % ${people}, 1 + i % 20, CASE WHEN i % 3 > 0 THEN 1 + i % 19 END FROM generate_series(1, 4000) i;`),
    );
  });
});
afterAll(() => world.stop());

const masking = {
  version: 1,
  tables: {
    person: { columns: { id: "keep", email: "email" } },
    post: { columns: { id: "keep" } },
    photo: { columns: { id: "keep" } },
    tag: { columns: { id: "keep" } },
    remark: { columns: { id: "keep", kind: "keep", of_id: "keep", note: "keep" } },
    letter: { columns: { id: "keep", to: "email" } },
    slot: { columns: { day: "keep", hour: "keep" } },
    visit: { columns: { id: "keep" } },
  },
};
const virtualReferences = [
  { from: "remark(of_id)", to: "post(id)", where: "child.kind = 'post'" },
  { from: "remark(of_id)", to: "photo(id)", where: "child.kind = 'photo'" },
  { from: "letter(to)", to: "person(email)" },
];

const idsOf = async (table: string): Promise<number[]> => (await world.askStaging(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => Number(id));
const failed = (report: Awaited<ReturnType<typeof copyData>>["report"]) => report.checks.filter(({ status, severity }) => status !== "passed" && severity === "error");

describe.sequential("a subset", () => {
  test("follows a diamond, polymorphic and virtual references, and keys of which a part is missing", async () => {
    const subset = {
      version: 1,
      roots: [{ table: "person", where: "person.id IN (5, 20)" }],
      children: { rules: { "person(mentor)": "skip", "post(editor)": "skip", "visit(day, hour)": "skip" } },
      virtualReferences,
    };
    const { report } = await copyData(await world.options({ masking, subset }));
    expect(failed(report)).toEqual([]);
    const posts = (await world.askSource("SELECT id FROM post WHERE writer IN (5, 20) OR id IN (SELECT post FROM tag WHERE owner IN (5, 20)) ORDER BY 1")).map(({ id }) => Number(id));
    expect(await idsOf("post")).toEqual(posts);
    const photos = (await world.askSource("SELECT id FROM photo WHERE owner IN (5, 20) ORDER BY 1")).map(({ id }) => Number(id));
    expect(await idsOf("photo")).toEqual(photos);
    const remarks = (await world.askSource(`SELECT id FROM remark WHERE kind = 'post' AND of_id = ANY ('{${posts.join()}}') OR kind = 'photo' AND of_id = ANY ('{${photos.join()}}') ORDER BY 1`)).map(({ id }) => Number(id));
    expect(remarks).toHaveLength(4);
    expect(await idsOf("remark")).toEqual(remarks);
    expect(await world.askStaging(`SELECT count(*)::int AS letters, count(email)::int AS met FROM letter LEFT JOIN person ON "to" = email`)).toEqual([{ letters: 4, met: 4 }]);
    // The mentor of 20, and editors: parents without anything of their own.
    expect(await idsOf("person")).toEqual(expect.arrayContaining([5, 19, 20]));
    const [visits] = await world.askStaging("SELECT count(*)::int AS all, count(hour)::int AS whole, (SELECT count(*)::int FROM slot) AS slots FROM visit");
    expect(visits).toMatchObject({ all: 4 });
    expect(Number(visits?.["slots"])).toBeLessThanOrEqual(Number(visits?.["whole"]));
  });

  test("by percentage: about as many as asked for, the same ones again, and the same ones when others have come", async () => {
    const only = { default: "skip" };
    const share = async (percent: number, more = {}) => {
      const subset = { version: 1, roots: [{ table: "photo", percent, ...more }], children: only, cut: [] };
      const { report } = await copyData(await world.options({ masking, subset }, { limit: 3 }));
      expect(failed(report)).toEqual([]);
      return idsOf("photo");
    };
    const tenth = await share(10);
    expect(tenth.length).toBeGreaterThan(320);
    expect(tenth.length).toBeLessThan(480);
    expect(await share(10)).toEqual(tenth);
    await world.askSource("INSERT INTO photo SELECT i, 1 FROM generate_series(4001, 4400) i; DELETE FROM photo WHERE id % 50 = 0");
    const later = await share(10);
    expect(later.filter((id) => id <= 4_000)).toEqual(tenth.filter((id) => id % 50 > 0));
    expect((await share(20)).filter((id) => later.includes(id))).toEqual(later);
    expect(await share(10, { limit: 5, where: "photo.id > 100" })).toEqual(later.filter((id) => id > 100).slice(0, 5));
  });

  test("a limit for each parent takes the first by key, and originals are shown only when asked for by name", async () => {
    const subset = { version: 1, roots: [{ table: "person", where: "person.id = 7" }], children: { default: "skip", rules: { "visit(who)": { perParent: 1 } } } };
    const options = await world.options({ masking, subset });
    const quiet = await planCopy(options);
    const loud = await planCopy({ ...options, showOriginals: true });
    const emailOf = (plan: typeof quiet) => plan.tables.find(({ table }) => table === "person")?.columns.find(({ column }) => column === "email");
    expect(quiet.text).not.toContain("p7@x.example");
    expect(emailOf(quiet)).not.toHaveProperty("originals");
    expect(emailOf(loud)).toMatchObject({ originals: ["p7@x.example"], samples: [expect.stringMatching(/@staging\.local$/)] });
    expect(loud.text).toMatch(/email +email +e\.g\. "user-[0-9a-f]{20}@staging\.local" +originals: "p7@x\.example"/);
    await copyData(options);
    expect(await idsOf("visit")).toEqual([6]);
  });
});
