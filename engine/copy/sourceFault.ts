import { exitCode, messageOf, UnderstudyError } from "../errors.ts";

const remedies: Readonly<Record<string, string>> = {
  "57014": "The statement took longer than allowed, or was cancelled on the source.",
  "55P03": "A lock on the source was not free in time: somebody alters the table. Try again later.",
  "40001": "The standby cancelled the statement for its recovery. Raise max_standby_streaming_delay there, or use the primary.",
  "42501": "Grant the source's role what it lacks.",
  "25P03": "The source ended an idle session.",
};

/** Classes of errors whose text quotes data: what could not be read as a number, a date, JSON. */
const quotesData = /^(21|22|23|44|P0|XX)/;

/**
 * An error of the source as one for people. Its text is passed on only where it cannot hold a value of production.
 */
export function sourceFault(cause: unknown, doing: string): UnderstudyError {
  if (cause instanceof UnderstudyError) return cause;
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  const shown = code !== undefined && quotesData.test(code) ? `SQLSTATE ${code} (its text may quote data and is not shown)` : messageOf(cause);
  return new UnderstudyError(`The source failed while ${doing}: ${shown}.`, {
    exitCode: exitCode.provisioning,
    remedy: remedies[code ?? ""] ?? "Staging is as it was. Run the copy again when the source is well.",
    // A cause is shown under --verbose: then it must not hold data either.
    ...(code !== undefined && quotesData.test(code) ? {} : { cause }),
  });
}
