/** Exit codes of the `understudy` command, one meaning each (docs/commands.md). */
export const exitCode = {
  done: 0,
  unexpected: 1,
  usage: 2,
  provisioning: 3,
  checkFailed: 4,
  targetMissed: 5,
  drift: 6,
  leftBehind: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export interface UnderstudyErrorOptions {
  readonly exitCode: ExitCode;
  /** What to do next, one sentence. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/**
 * An error made for a person: the message names what was wrong, the value and what is allowed;
 * `remedy` says what to do next. The cause is shown under `--verbose` only.
 */
export class UnderstudyError extends Error {
  readonly exitCode: ExitCode;
  readonly remedy: string | undefined;

  constructor(message: string, options: UnderstudyErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UnderstudyError";
    this.exitCode = options.exitCode;
    this.remedy = options.remedy;
  }

  /** The one line for a person. */
  get line(): string {
    return this.remedy === undefined ? this.message : `${this.message} ${this.remedy}`;
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
