import { exitCode, UnderstudyError } from "../../errors.ts";
import { catalogChecks } from "../../integrity/catalogChecks.ts";
import { runCatalogChecks, runIntegrityRules, type IntegrityRule } from "../../integrity/index.ts";
import type { CheckResult } from "../../report/check.ts";
import { connectionOf } from "../../staging/database.ts";
import type { CheckContext, ValidationCheck } from "../check.ts";
import type { Outcome } from "../outcome.ts";

const category = "database";
const statementTimeoutMs = 10_000;

/**
 * What must hold in any database (foreign keys, indexes, constraints, triggers, sequences), then the workload's own rules,
 * one check each. Each of the two sets is looked at once a run, in one snapshot, by whichever check comes first.
 */
export function integrityChecks(rules: readonly IntegrityRule[]): ValidationCheck[] {
  const own = rules.map((rule) => ({ ...rule, id: `rule-${rule.id}` }));
  const connection = ({ target, signal }: CheckContext) => ({ connection: connectionOf(target.staging, "readOnly"), statementTimeoutMs, category, signal });
  return [
    ...oneCheckEach(catalogChecks, (context) => runCatalogChecks(connection(context))),
    ...oneCheckEach(own, (context) => runIntegrityRules({ ...connection(context), rules: own })),
  ];
}

interface Definition {
  readonly id: string;
  readonly title: string;
  readonly severity: CheckResult["severity"];
}

function oneCheckEach(definitions: readonly Definition[], look: (context: CheckContext) => Promise<CheckResult[]>): ValidationCheck[] {
  let results: Promise<CheckResult[]> | undefined;
  return definitions.map(({ id, title, severity }) => ({
    id: `${category}.${id}`,
    category,
    title,
    severity,
    quick: false,
    timeoutMs: 20_000,
    run: async (context) => {
      results ??= look(context);
      return outcomeOf((await results).find((result) => result.id === `${category}.${id}`));
    },
  }));
}

function outcomeOf(result: CheckResult | undefined): Outcome {
  if (result === undefined) throw new Error("it was not looked at");
  const { status, evidence, remedy, details, severity } = result;
  if (status === "errored") throw new UnderstudyError(evidence, { exitCode: exitCode.checkFailed, ...(remedy === undefined ? {} : { remedy }) });
  return { status, evidence, severity, ...(remedy === undefined ? {} : { remedy }), ...(details === undefined ? {} : { details }) };
}
