import { exitCode, messageOf, UnderstudyError, type ExitCode } from "../engine/errors.ts";

/** An error of the engine, as its events told it. */
export interface Diagnostic {
  readonly resource: string;
  readonly message: string;
}

const codes: readonly number[] = Object.values(exitCode);
const marked = /\s*\(exit (\d+)\)\s*$/m;

function isExitCode(value: number): value is ExitCode {
  return codes.includes(value);
}

/** The exit code that a resource's error carries at its end, and the text without it. */
export function unmark(message: string): { readonly text: string; readonly code: ExitCode | undefined } {
  const code = Number(marked.exec(message)?.[1]);
  const text = message.replace(new RegExp(marked.source, "gm"), "").trim();
  return { text, code: isExitCode(code) ? code : undefined };
}

/** What the engine adds around our own message, and stack traces of the provider. */
function cleaned(message: string): string {
  return message
    .split("\n")
    .filter((line) => !/^\s+at /.test(line) && !/^error: (update|preview|refresh|destroy) failed/.test(line))
    .join("\n")
    .replace(/^(error: )?(Preview failed: |Program run failed: )?/, "")
    .replace(/^pulumi-nodejs:\S+ resource '[^']+' has a problem: /, "")
    .replace(/^1 error occurred:\s*\* /, "")
    .trim();
}

/**
 * Makes one error of a failed operation: what failed first, in our own words, with its exit code.
 * The engine's full output is the cause, shown under `--verbose`.
 */
export function failureOf(error: unknown, diagnostics: readonly Diagnostic[]): UnderstudyError {
  if (error instanceof UnderstudyError) return error;
  const told = diagnostics
    .map(({ resource, message }) => ({ resource, ...unmark(cleaned(message)) }))
    .filter(({ text }) => text !== "" && !/^(resource|update|preview) .*failed$/.test(text));
  const own = told.filter(({ code }) => code !== undefined);
  const shown = dedupe(own.length > 0 ? own : told);
  if (shown.length === 0) {
    const { text, code } = unmark(cleaned(messageOf(error)));
    return new UnderstudyError(text, { exitCode: code ?? exitCode.unexpected, cause: error });
  }
  const lines = shown.map(({ resource, text }) => (resource === "" ? text : `${resource}: ${text}`));
  return new UnderstudyError(lines.join("\n"), { exitCode: shown[0]?.code ?? exitCode.provisioning, cause: error });
}

function dedupe<Told extends { readonly text: string }>(told: readonly Told[]): Told[] {
  return told.filter(({ text }, index) => told.findIndex((other) => other.text === text) === index);
}
