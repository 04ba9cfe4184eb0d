import { describe, expect, test } from "vitest";
import { exitsSince, whyHopeless } from "../../../engine/health/supervisor.ts";
import type { ProcessExit, SupervisorState } from "../../../engine/health/supervisor.ts";
import { documentHealth, patienceMs } from "../../../engine/health/settings.ts";

const exit = (atMs: number, code: number | null, signal: string | null = null): ProcessExit => ({ atMs, code, signal });
const state = (exits: readonly ProcessExit[], changes: Partial<SupervisorState> = {}): SupervisorState => ({ up: true, exits, ...changes });

describe("whyHopeless", () => {
  test.each([
    ["a service that runs", state([]), [], undefined],
    ["one that is not up yet", state([], { up: false }), [], undefined],
    ["one bad end is bad luck", state([exit(10, 1)]), [], undefined],
    ["three are a crash loop", state([exit(10, 1), exit(11, 1), exit(12, null, "SIGSEGV")]), [], /ended 3 times.*crash loop.*killed by SIGSEGV/],
    ["ends from before the start", state([exit(1, 1), exit(2, 1), exit(3, 1)]), [], undefined],
    ["orderly stops of what ran before", state([exit(10, null, "SIGTERM"), exit(11, null, "SIGINT"), exit(12, null, "SIGQUIT")]), [], undefined],
    ["ending at once with 0, again and again", state([exit(10, 0), exit(11, 0), exit(12, 0)]), [], /crash loop \(last: exit code 0\)/],
    ["nginx's taken port", state([exit(10, 1)]), ["nginx: [emerg] bind() to 127.0.0.1:8080 failed (98: Address already in use)"], /port is taken/],
    ["PostgreSQL's taken port", state([exit(10, 1)]), ['FATAL:  could not create any TCP/IP sockets'], /port is taken/],
    ["Node's taken port", state([exit(10, 1)]), ["Error: listen EADDRINUSE: address already in use 127.0.0.1:3001"], /port is taken/],
    ["a complaint without an end", state([]), ["could not bind"], undefined],
    ["EX_CONFIG", state([exit(10, 78)]), [], /configuration is wrong \(exit code 78\)/],
    ["nginx's configuration", state([exit(10, 1)]), ['nginx: [emerg] unknown directive "lisen"'], /configuration is wrong/],
    ["Redis' configuration", state([exit(10, 1)]), ["*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***"], /configuration is wrong/],
    ["stopped by hand", state([], { up: false, wantedUp: false }), [], /stopped by hand/],
  ])("%s", (_title, seen, log, expected) => {
    const reason = whyHopeless(seen, 5, log);
    if (expected === undefined) expect(reason).toBeUndefined();
    else expect(reason).toMatch(expected);
  });
});

test("only ends since the start count", () => {
  expect(exitsSince(state([exit(4, 1), exit(5, 1), exit(6, null, "SIGTERM")]), 5)).toEqual([exit(5, 1)]);
});

test("document 004: 30 s to start, then five intervals of 15 s", () => {
  expect(patienceMs(documentHealth)).toBe(105_000);
});
