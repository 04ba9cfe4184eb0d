/** A version's numbers, most significant first. */
export type Version = readonly number[];

/**
 * The first dotted version number in a text such as "v3.246.0", "go version go1.19.8 linux/amd64" or "v3.250.0-dev.1".
 * What follows the numbers is left out of account.
 */
export function versionIn(text: string): Version | undefined {
  const numbers = /\d+(?:\.\d+)+/.exec(text)?.[0];
  return numbers?.split(".").map(Number);
}

/** Whether a version is the wanted one or newer; missing numbers count as 0. */
export function atLeast(version: Version, wanted: Version): boolean {
  const length = Math.max(version.length, wanted.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (version[index] ?? 0) - (wanted[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
