import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { folderHash } from "./folderHash.ts";

const relativeImport = /\b(?:from|import|require)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;

/**
 * SHA-256 over what an app is made of: all of its entry's folder, and every file elsewhere that it imports by a relative
 * path, and what those import. Packages are left out: they change with the lock file alone.
 * @param entry absolute path of the app's first module.
 */
export function sourceHash(entry: string): string {
  const folder = dirname(entry);
  const seen = new Map<string, string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    const text = readOrNothing(file);
    if (text === undefined) return;
    seen.set(file, text);
    for (const [, path = ""] of text.matchAll(relativeImport)) visit(resolve(dirname(file), path));
  };
  visit(entry);
  const outside = [...seen].filter(([file]) => !file.startsWith(join(folder, "/"))).map(([, text]) => text).sort();
  const hash = createHash("sha256").update(folderHash(folder));
  for (const text of outside) hash.update("\0").update(text);
  return hash.digest("hex");
}

/** A path in a string, or one that a bundler would complete, may name no file; the bundler says so if it matters. */
function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
