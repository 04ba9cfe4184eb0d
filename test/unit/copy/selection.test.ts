import { array, assert, constantFrom, integer, property, record, uniqueArray } from "fast-check";
import { describe, expect, test } from "vitest";
import { shareOut } from "../../../engine/copy/rootRows.ts";
import { TidSet } from "../../../engine/copy/tidSet.ts";

const rowsOf = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).flatMap(([stratum, count]) => Array.from({ length: count }, (_, index) => ({ stratum, index })));

const countsOf = (rows: readonly { stratum: string }[]) =>
  Object.fromEntries([...Map.groupBy(rows, ({ stratum }) => stratum)].map(([stratum, members]) => [stratum, members.length]));

describe("shareOut", () => {
  test("gives each stratum one, and the named ones what they ask for", () => {
    const rows = rowsOf({ LEARNER: 10, CUSTOMER: 10, ADMIN: 1, AUTHOR: 10, TEACHER: 10, VOLUNTEER: 10, INSTITUTION: 10 });
    expect(countsOf(shareOut(rows, { LEARNER: 4 }, 10))).toEqual({ LEARNER: 4, CUSTOMER: 1, ADMIN: 1, AUTHOR: 1, TEACHER: 1, VOLUNTEER: 1, INSTITUTION: 1 });
  });

  test("with less room than strata: the named ones first", () => {
    expect(countsOf(shareOut(rowsOf({ a: 5, b: 5, c: 5 }), { c: 2 }, 3))).toEqual({ a: 1, c: 2 });
  });

  test("fills the limit while there are rows, takes the first of each stratum, and no row twice", () => {
    const strata = uniqueArray(record({ stratum: constantFrom("a", "b", "c", "d"), count: integer({ min: 1, max: 12 }) }), { selector: ({ stratum }) => stratum });
    assert(
      property(strata, integer({ min: 1, max: 40 }), integer({ min: 1, max: 5 }), (chosen, limit, asked) => {
        const rows = rowsOf(Object.fromEntries(chosen.map(({ stratum, count }) => [stratum, count])));
        const taken = shareOut(rows, { b: asked }, limit);
        expect(taken).toHaveLength(Math.min(limit, rows.length));
        expect(new Set(taken).size).toBe(taken.length);
        for (const members of Map.groupBy(taken, ({ stratum }) => stratum).values()) {
          expect(members.map(({ index }) => index).sort((left, right) => left - right)).toEqual(members.map((_, index) => index));
        }
      }),
    );
  });
});

describe("TidSet", () => {
  const tid = record({ block: integer({ min: 0, max: 4_294_967_294 }), offset: integer({ min: 1, max: 65_535 }) });

  test("gives back every row once, in the order of their places, in batches", () => {
    assert(
      property(array(tid, { maxLength: 50 }), integer({ min: 1, max: 20 }), (tids, size) => {
        const set = new TidSet();
        const texts = tids.map(({ block, offset }) => `(${block},${offset})`);
        const added = texts.filter((text) => set.add(text));
        expect(added).toEqual([...new Set(texts)]);
        const batches = [...set.batches(size)];
        expect(batches.every(({ rows }) => rows <= size)).toBe(true);
        const back = batches.flatMap(({ tids: text }) => [...text.matchAll(/"(\(\d+,\d+\))"/g)].map((match) => match[1]));
        const sorted = [...tids].sort((left, right) => left.block - right.block || left.offset - right.offset);
        expect(back).toEqual([...new Set(sorted.map(({ block, offset }) => `(${block},${offset})`))]);
        expect(back).toHaveLength(set.size);
      }),
    );
  });
});
