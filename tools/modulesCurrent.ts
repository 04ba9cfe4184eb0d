import { readFileSync } from "node:fs";

interface Lock {
  packages: Record<string, { version?: string; optional?: boolean; peer?: boolean }>;
}

/**
 * Whether everything a lock file lists is installed, going by npm's own record of what it installed.
 * Optional packages count only by version when they are there: most belong to other operating systems.
 */
export function modulesAreCurrent(lock: Lock, installed: Lock): boolean {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === "") return true;
    const found = installed.packages[path];
    return found === undefined ? wanted.optional === true : found.version === wanted.version;
  });
}

function readLock(file: string): Lock | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null && "packages" in value ? (value as Lock) : undefined;
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const lock = readLock("package-lock.json");
  const installed = readLock("node_modules/.package-lock.json");
  process.exit(lock !== undefined && installed !== undefined && modulesAreCurrent(lock, installed) ? 0 : 1);
}
