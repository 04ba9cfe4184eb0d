import { exitCode, UnderstudyError } from "../engine/errors.ts";
import type { OnProgress } from "../engine/progress.ts";
import type { Console } from "./console.ts";

/** Progress of the work itself: one line that is overwritten on a terminal, plain lines elsewhere. */
export function showProgress(console: Console, options: { readonly quiet: boolean }): OnProgress {
  if (options.quiet) return () => {};
  let last = "";
  let lastAtMs = 0;
  return ({ step, message, done, total, unit }) => {
    const amount = done === undefined ? "" : ` ${done}${total === undefined ? "" : `/${total}`} ${unit ?? ""}`.trimEnd();
    const line = `${step}: ${message}${amount}`;
    if (line === last) return;
    const finished = done !== undefined && done === total;
    if (!finished && step === last.split(":")[0] && Date.now() - lastAtMs < (console.live ? 80 : 1_000)) return;
    last = line;
    lastAtMs = Date.now();
    console.note(`  ${line}`);
  };
}

/** Runs work that Ctrl-C ends in an orderly way: connections closed, half-made things removed. */
export async function untilInterrupted<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    return await work(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    throw new UnderstudyError("Interrupted; what was there before is untouched.", { exitCode: exitCode.interrupted, cause: error });
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}
