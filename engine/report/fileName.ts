/** The kinds known so far; others follow the same form (lower case, digits, hyphens). */
export type ReportKind =
  | "migration-test-report"
  | "staging-validation-report"
  | "test-data-summary"
  | "load-test-report"
  | (string & Record<never, never>);

/** UTC, to the second, sorts by name: `20261121T010203Z`. */
export function compactTimestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z").replaceAll(/[-:]/g, "");
}

/** What stands before the time: stacks that share a folder keep their reports apart. */
export function reportPrefix(kind: ReportKind, stack: string): string {
  return `${kind}-${stack}`;
}

/** `<prefix>-<timestamp>`, and `-2`, `-3` … for further runs in the same second. */
export function baseName(prefix: string, at: Date, attempt: number): string {
  return `${prefix}-${compactTimestamp(at)}${attempt === 1 ? "" : `-${attempt}`}`;
}

export interface ParsedName {
  /** Kind and stack, as `reportPrefix` joins them. */
  readonly prefix: string;
  readonly at: Date;
  readonly attempt: number;
  readonly extension: string;
}

const pattern = /^(?<prefix>[a-z0-9-]+)-(?<day>\d{8})T(?<time>\d{6})Z(?:-(?<attempt>\d+))?\.(?<extension>json|html|xml)$/;

/** The inverse of `baseName`; nothing for a name that is not a report's. */
export function parseReportName(name: string): ParsedName | undefined {
  const groups = pattern.exec(name)?.groups;
  const { prefix, day, time, attempt = "1", extension } = groups ?? {};
  if (prefix === undefined || day === undefined || time === undefined || extension === undefined) return undefined;
  const at = new Date(
    `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`,
  );
  return Number.isNaN(at.getTime()) ? undefined : { prefix, at, attempt: Number(attempt), extension };
}
