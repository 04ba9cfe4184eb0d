import { expect, test } from "vitest";
import { Board, noneOf, passed, failed, Pointless } from "../../../engine/migration/board.ts";
import { isGreen } from "../../../engine/report/check.ts";

const check = (id: string) => ({ id, title: id, remedy: "do" });
const statuses = (board: Board) => Object.fromEntries(board.results.map(({ id, status }) => [id, status]));

test("what reaches no verdict is errored, not passed; what throws takes the rest along", async () => {
  const board = new Board();
  await board.group([check("logic.a"), check("logic.b")], (settle) => settle("logic.a", passed("seen")));
  await board.group([check("logic.c"), check("logic.d")], (settle) => {
    settle("logic.c", failed("seen"));
    throw new Error("broke");
  });
  expect(statuses(board)).toEqual({ "logic.a": "passed", "logic.b": "errored", "logic.c": "failed", "logic.d": "errored" });
  expect(board.results.find(({ id }) => id === "logic.d")?.evidence).toContain("broke");
  expect(isGreen(board.results)).toBe(false);
});

test("what is pointless after a failure is skipped, and names it", async () => {
  const board = new Board();
  await board.group([check("logic.a"), check("logic.b")], (settle) => {
    settle("logic.a", failed("no"));
    throw new Pointless("Needs logic.a, which failed.");
  });
  expect(statuses(board)).toEqual({ "logic.a": "failed", "logic.b": "skipped" });
});

test("only and skip by category or id; a course that nobody wants does not run, unless always", async () => {
  const board = new Board({ only: ["logic", "rollback.b"], skip: ["logic.b"] });
  expect(["logic.a", "logic.b", "rollback.a", "rollback.b"].map((id) => board.wants(id))).toEqual([true, false, false, true]);
  let runs = 0;
  await board.group([check("rollback.a")], () => void (runs += 1));
  expect(runs).toBe(0);
  await board.group([check("rollback.c")], () => void (runs += 1), { always: true });
  expect(runs).toBe(1);
  expect(statuses(board)).toEqual({ "rollback.a": "skipped", "rollback.c": "skipped" });
});

test("an accepted failure stays visible, with its reason, and does not block", async () => {
  const board = new Board({ accept: [{ check: "logic.a", reason: "known" }] });
  await board.check(check("logic.a"), () => failed("seen"));
  await board.check(check("logic.b"), () => passed("seen"));
  expect(board.results[0]).toMatchObject({ status: "failed", severity: "info", evidence: "seen\nAccepted by the workload: known" });
  expect(isGreen(board.results)).toBe(true);
});

test("an interruption is thrown on", async () => {
  const stop = new AbortController();
  const run = new Board().group([check("logic.a")], () => {
    stop.abort();
    throw new Error("connection gone");
  }, { signal: stop.signal });
  await expect(run).rejects.toMatchObject({ exitCode: 130 });
});

test("findings are written out, ten at most", () => {
  expect(noneOf([], "calm")).toMatchObject({ status: "passed", evidence: "calm" });
  expect(noneOf(Array.from({ length: 12 }, (_, index) => `f${index}`), "calm").evidence.split("\n").slice(-2)).toEqual(["f9", "and 2 more"]);
});
