import { columnRules } from "./columnRules.ts";
import { constraintRules } from "./constraintRules.ts";
import { indexRules } from "./indexRules.ts";
import type { LintRule } from "./rule.ts";
import { runRules } from "./runRules.ts";
import { tableRules } from "./tableRules.ts";

/** The known dangerous statements, each with its safe rewrite as the remedy. Order is that of the report. */
export const lintRules: readonly LintRule[] = [...indexRules, ...columnRules, ...constraintRules, ...tableRules, ...runRules];
