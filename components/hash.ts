import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { folderHash } from "../engine/folderHash.ts";
import type { Workload } from "../engine/workload/manifest.ts";

/** SHA-256 over parts of a workload, files or folders: what is proved about them has to be proved again when it changes. */
export function hashOf(workload: Workload, parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const path = workload.path(part);
    hash.update(part).update("\0").update(statSync(path).isDirectory() ? folderHash(path) : readFileSync(path));
  }
  return hash.digest("hex").slice(0, 16);
}
