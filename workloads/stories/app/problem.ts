/** A request that cannot be done, in words for the person who made it. */
export class Problem extends Error {
  readonly statusCode: number;
  /** For programs, e.g. `not_found`. */
  readonly code: string;
  /** What to do next, one sentence. */
  readonly advice: string;

  constructor(statusCode: number, code: string, title: string, advice: string) {
    super(title);
    this.name = "Problem";
    this.statusCode = statusCode;
    this.code = code;
    this.advice = advice;
  }
}

export function notFound(): Problem {
  return new Problem(404, "not_found", "Nothing here", "Check the address, or start from the front page.");
}

export function signInNeeded(): Problem {
  return new Problem(401, "sign_in_needed", "Please sign in", "This is for people who are signed in.");
}
