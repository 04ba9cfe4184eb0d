export { loadIntegrityRules } from "./rules.ts";
export type { IntegrityRule } from "./rules.ts";
export { runCatalogChecks, runIntegrityRules } from "./run.ts";
export type { RunChecks, RunIntegrityRules } from "./run.ts";
