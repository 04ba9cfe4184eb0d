/** One line for the person who waits, in two columns: what it is about, and what is so. Goes to stderr. */
export type Say = (topic: string, line: string) => void;

export const say: Say = (topic, line) => {
  process.stderr.write(`${topic.padEnd(9)} ${line}\n`);
};

/** A duration as a person says it: "0.2 s", "48 s", "3 min 20 s". */
export function spoken(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
