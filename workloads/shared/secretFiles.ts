import { readFileSync } from "node:fs";
import { messageOf } from "../../engine/errors.ts";

export interface Filled {
  readonly values: Readonly<Record<string, string | undefined>>;
  /** `NAME_FILE: why`, for each file that could not be read. */
  readonly problems: readonly string[];
}

/** The environment with the secrets that it names by `NAME_FILE`, so that they stand in no process listing. */
export function fillSecrets(env: Readonly<Record<string, string | undefined>>, names: readonly string[]): Filled {
  const problems: string[] = [];
  const values: Record<string, string | undefined> = { ...env };
  for (const name of names) {
    const file = env[`${name}_FILE`];
    if (file === undefined || env[name] !== undefined) continue;
    try {
      values[name] = readFileSync(file, "utf8").trim();
    } catch (error) {
      problems.push(`${name}_FILE: ${messageOf(error)}`);
    }
  }
  return { values, problems };
}
