/** One step forward of a long operation; printed as a live line on a TTY, as plain lines in CI. */
export interface ProgressEvent {
  /** The phase, as a person would call it: "copy", "clone", "traffic". */
  readonly step: string;
  readonly message: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: "rows" | "bytes" | "checks" | "statements";
}

export type OnProgress = (event: ProgressEvent) => void;

export const silent: OnProgress = () => {};
