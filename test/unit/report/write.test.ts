import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { baseName, parseReportName } from "../../../engine/report/fileName.ts";
import { findNewestReport, findReports, readReport } from "../../../engine/report/find.ts";
import { reportBase } from "../../../engine/report/report.ts";
import { writeReport } from "../../../engine/report/write.ts";
import { sampleReport } from "./samples.ts";

const now = new Date("2026-11-21T01:02:03.456Z");
const kind = "staging-validation-report";
const stack = sampleReport().stack;
const prefix = `${kind}-${stack}`;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-report-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (at: Date = now, into = folder) => writeReport(sampleReport(), { folder: into, kind, page: "<p>", junit: true, now: at });

describe("writeReport", () => {
  it("makes the folder and names the files by kind, stack and UTC time", async () => {
    const into = join(folder, "deep", "er");
    const files = await write(now, into);
    expect(files).toEqual({
      json: join(into, `${prefix}-20261121T010203Z.json`),
      html: join(into, `${prefix}-20261121T010203Z.html`),
      junit: join(into, `${prefix}-20261121T010203Z.xml`),
    });
    expect(await readReport(files.json, reportBase)).toEqual(sampleReport());
    expect(await readFile(files.html, "utf8")).toBe("<p>");
    expect(await readdir(into)).toHaveLength(3);
  });

  it("never overwrites: runs of one second, at the same time, each get their own name", async () => {
    const runs = await Promise.all(Array.from({ length: 12 }, () => write()));
    expect(new Set(runs.map((files) => files.json)).size).toBe(12);
    expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([]);
    expect(await readdir(folder)).toHaveLength(36);
  });

  it("steps aside for a companion that stands alone", async () => {
    await writeFile(join(folder, `${prefix}-20261121T010203Z.xml`), "another's");
    const files = await writeReport(sampleReport(), { folder, kind, page: "<p>", now });
    expect(files).toEqual({ json: join(folder, `${prefix}-20261121T010203Z-2.json`), html: join(folder, `${prefix}-20261121T010203Z-2.html`) });
    expect(await readFile(join(folder, `${prefix}-20261121T010203Z.xml`), "utf8")).toBe("another's");
  });

  it("leaves nothing behind when the folder cannot be written, and says so", async () => {
    const blocked = join(folder, "file");
    await writeFile(blocked, "");
    await expect(write(now, blocked)).rejects.toThrow(/could not be written to .*file/);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("removes what a killed writer left, but not what one is writing", async () => {
    const [stale, live] = [".a.writing", ".b.writing"].map((name) => join(folder, name)) as [string, string];
    await mkdir(stale);
    await mkdir(live);
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(stale, anHourAgo, anHourAgo);
    await write();
    const hidden = (await readdir(folder)).filter((name) => name.startsWith("."));
    expect(hidden).toEqual([".b.writing"]);
  });

  it("refuses a report that is none", async () => {
    const wrong = { ...sampleReport(), durationMs: Number.NaN };
    await expect(writeReport(wrong, { folder, kind, page: "" })).rejects.toThrow(/durationMs/);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("find", () => {
  it("finds the newest of a kind, also among runs of one second, and its companions", async () => {
    await write(new Date("2025-01-01T00:00:00Z"));
    const first = await write();
    const runs = [first];
    for (let run = 2; run <= 11; run += 1) runs.push(await write());
    await writeReport(sampleReport(), { folder, kind: "migration-test-report", page: "", now: new Date("2027-01-01T00:00:00Z") });
    await writeFile(join(folder, `${prefix}-20991399T000000Z.json`), "not a date");
    const found = await findReports(folder, kind, stack);
    expect(found).toHaveLength(12);
    expect(found[0]).toEqual({ at: new Date("2026-11-21T01:02:03Z"), ...runs.at(-1) });
    expect(await findNewestReport(folder, "staging-validation", stack)).toBeUndefined();
    expect(await findNewestReport(folder, kind, "another")).toBeUndefined();
    expect(await findNewestReport(join(folder, "none"), kind, stack)).toBeUndefined();
  });

  it("says what is wrong with a report of another schema", async () => {
    const { json } = await write();
    await expect(readReport(json, reportBase.extend({ version: z.literal(2) }))).rejects.toThrow(/version/);
  });

  it("reads back every name it writes", () => {
    const kinds = fc.stringMatching(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    const dates = fc.date({ min: new Date("1971-01-01"), max: new Date("2999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(kinds, dates, fc.integer({ min: 1, max: 1_000 }), (kind, at, attempt) => {
        at.setUTCMilliseconds(0);
        expect(parseReportName(`${baseName(kind, at, attempt)}.json`)).toEqual({ prefix: kind, at, attempt, extension: "json" });
      }),
    );
  });
});
