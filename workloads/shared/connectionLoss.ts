// Ended by an administrator, crashed, starting, not accepting connections (a switch), its name being given to another database.
const lossCodes = new Set(["57P01", "57P02", "57P03", "55000", "3D000", "ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT"]);

/** True when a statement of PostgreSQL was not finished because the connection could not be had or was cut. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return lossCodes.has(code) || code.startsWith("08") || error.message.startsWith("Connection terminated");
}

/** The SQLSTATE or system code of an error, else its class; its message may hold values and stays out of logs. */
export function codeOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string") return error.code;
  if (!(error instanceof Error)) return "unknown";
  // Many libraries name their classes, but not the errors of them.
  return error.name === "Error" ? error.constructor.name : error.name;
}
