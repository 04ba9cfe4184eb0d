import { array, assert, integer, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { sharesOf, without } from "../../../engine/cache/cluster.ts";
import { parseNodes, slotCount, type SlotRange } from "../../../engine/cache/node.ts";

const slotsOf = (ranges: readonly SlotRange[]) => ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));

describe("slots", () => {
  it("are shared out as redis-cli does", () => {
    expect(sharesOf(3)).toEqual([[0, 5460], [5461, 10922], [10923, 16383]]);
  });

  it("go to exactly one node each, whatever their number", () => {
    assert(property(integer({ min: 1, max: 50 }), (count) => {
      expect(slotsOf(sharesOf(count))).toEqual(Array.from({ length: slotCount }, (_, slot) => slot));
    }), { numRuns: 20 });
  });

  it("that are free are those of the range that nobody took", () => {
    const range = tuple(integer({ min: 0, max: 60 }), integer({ min: 0, max: 60 })).map(([a, b]): SlotRange => [Math.min(a, b), Math.max(a, b)]);
    assert(property(range, array(range, { maxLength: 5 }), (wanted, taken) => {
      const busy = new Set(slotsOf(taken));
      expect(slotsOf(without(wanted, taken))).toEqual(slotsOf([wanted]).filter((slot) => !busy.has(slot)));
    }));
  });
});

describe("CLUSTER NODES", () => {
  it("is read with its flags, links and slots; slots that move are not yet anybody's", () => {
    const text = [
      "07c3 127.0.0.1:6380@6390,node-1 myself,master - 0 0 1 connected 0-5460 7000 [93->-292f8b36]",
      "67ed 127.0.0.1:6381@6391 master,fail? - 1426238316232 0 2 disconnected",
      "",
    ].join("\n");
    expect(parseNodes(text)).toEqual([
      { id: "07c3", port: 6380, flags: ["myself", "master"], connected: true, slots: [[0, 5460], [7000, 7000]] },
      { id: "67ed", port: 6381, flags: ["master", "fail?"], connected: false, slots: [] },
    ]);
  });
});
