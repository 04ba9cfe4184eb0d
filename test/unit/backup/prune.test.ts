import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { assert as check, constantFrom, date, integer, property, record } from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { backupFileName, parseBackupName } from "../../../engine/backup/fileName.ts";
import { listBackups, pruneBackups } from "../../../engine/backup/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-prune-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const now = new Date("2026-11-21T12:00:00Z");
const put = (...names: string[]) => Promise.all(names.map((name) => writeFile(join(folder, name), "x")));
const local = (stamp: string): string => `staging-backup-local-${stamp}.sql.gz`;

test("a name tells its stack, time and attempt", () => {
  check(
    property(
      record({
        stack: constantFrom("local", "ci-42", "a.b_c", "local-20200101T000000Z"),
        at: date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true }).map((at) => new Date(at.setUTCMilliseconds(0))),
        attempt: integer({ min: 1, max: 99 }),
      }),
      (name) => {
        expect(parseBackupName(backupFileName(name))).toEqual(name);
      },
    ),
  );
  expect(parseBackupName("staging-validation-report-20260101T000000Z.json")).toBeUndefined();
});

test("keeps what is younger than a day", async () => {
  await put(local("20261121T110000Z"), local("20261120T130000Z"), local("20261120T110000Z"), local("20261019T110000Z"));
  const { kept, removed } = await pruneBackups({ folder, now });
  expect(kept.map((file) => basename(file))).toEqual([local("20261121T110000Z"), local("20261120T130000Z")]);
  expect(removed).toHaveLength(2);
  expect((await readdir(folder)).toSorted()).toEqual([local("20261120T130000Z"), local("20261121T110000Z")]);
});

test("the newest stays, however old", async () => {
  await put(local("20200101T000000Z"), local("20200102T000000Z"), local("20200102T000000Z-2"));
  const { kept } = await pruneBackups({ folder, keepHours: 0, keepAtLeast: 1, now });
  expect(kept).toEqual([join(folder, local("20200102T000000Z-2"))]);
});

test("another stack's backups and other files are left alone", async () => {
  const others = ["staging-backup-ci-20200101T000000Z.sql.gz", "staging-validation-report-20200101T000000Z.json", "notes.txt"];
  await put(local("20200101T000000Z"), local("20200102T000000Z"), ...others);
  await pruneBackups({ folder, stack: "local", now });
  expect((await readdir(folder)).toSorted()).toEqual([...others, local("20200102T000000Z")].toSorted());
});

test("each stack keeps its own newest", async () => {
  await put(local("20200101T000000Z"), "staging-backup-ci-20190101T000000Z.sql.gz");
  expect((await pruneBackups({ folder, now })).removed).toEqual([]);
});

test("a killed backup's leftover goes, one being written stays", async () => {
  const dead = `.${local("20200101T000000Z")}.00aa11bb.4194303.partial`;
  const alive = `.${local("20200101T000000Z")}.00aa11bb.${process.ppid}.partial`;
  const recycled = `.${local("20200101T000000Z")}.00aa11cc.${process.ppid}.partial`;
  await put(dead, alive, recycled);
  await utimes(join(folder, recycled), new Date("2020-01-01"), new Date("2020-01-01"));
  await pruneBackups({ folder, now });
  expect(await readdir(folder)).toEqual([alive]);
  expect(await listBackups(folder)).toEqual([]);
});

test("no folder, no backups", async () => {
  expect(await pruneBackups({ folder: join(folder, "nowhere") })).toEqual({ kept: [], removed: [] });
});
