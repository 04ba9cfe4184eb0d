/** A promise did not settle in time. */
export class DeadlinePassed extends Error {
  readonly code = "TIMEOUT";

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = "DeadlinePassed";
  }
}

/**
 * The promise's outcome, or `DeadlinePassed` when it takes longer than `timeoutMs`.
 * What the promise stands for goes on; its late failure is not an unhandled one.
 */
export async function withDeadline<Result>(promise: Promise<Result>, timeoutMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlinePassed(timeoutMs)), timeoutMs);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
