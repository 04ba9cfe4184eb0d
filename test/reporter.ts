import type { Reporter, TestModule } from "vitest/node";

/**
 * Ends the output with `N passed, N failed, N skipped`, the sum over all suites, and fails a run in which nothing ran.
 * A file that could not be loaded and an error outside any test count as one failed each.
 */
export default class SummaryLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === "pending" ? "skipped" : state] += 1;
      }
    }
    if (counts.passed + counts.failed === 0) {
      console.error("No test ran.");
      process.exitCode = 1;
    } else if (counts.failed > 0) {
      process.exitCode = 1;
    }
    // At exit, so that nothing is printed after it.
    process.once("exit", () => console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`));
  }
}
