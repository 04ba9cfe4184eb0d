import { describe, expect, it } from "vitest";
import { failureOf, unmark } from "../../../cli/failures.ts";
import { exitCode, UnderstudyError } from "../../../engine/errors.ts";

describe("a failed operation", () => {
  it("takes its exit code from the resource that failed", () => {
    const failure = failureOf(new Error("code: -2 a lot of output"), [
      { resource: "", message: "error: update failed" },
      { resource: "migration-test", message: "The migration rehearsal failed 1 check(s): rollback.rows. Look at /r.html (exit 4)" },
    ]);
    expect(failure.exitCode).toBe(exitCode.checkFailed);
    expect(failure.message).toBe("migration-test: The migration rehearsal failed 1 check(s): rollback.rows. Look at /r.html");
  });

  it("shows no stack trace, and each error once", () => {
    const message = "Error: boom\n    at work (file:///x.ts:1:1)\n    at next (file:///y.ts:2:2)";
    const failure = failureOf(new Error("x"), [{ resource: "app", message }, { resource: "app", message }]);
    expect(failure.message).toBe("app: Error: boom");
    expect(failure.exitCode).toBe(exitCode.provisioning);
  });

  it("passes our own errors on as they are", () => {
    const own = new UnderstudyError("no", { exitCode: exitCode.usage });
    expect(failureOf(own, [])).toBe(own);
  });

  it("is unexpected when nobody said why", () => {
    expect(failureOf(new Error("engine gone"), []).exitCode).toBe(exitCode.unexpected);
  });

  it("knows only real exit codes", () => {
    expect(unmark("a (exit 3)")).toEqual({ text: "a", code: 3 });
    expect(unmark("a (exit 99)").code).toBeUndefined();
    expect(unmark("process ended (exit 3) long ago").code).toBeUndefined();
  });
});
