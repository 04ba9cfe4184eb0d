import { noneOf } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { droppedNames } from "../source/scope.ts";
import type { MigrationFile } from "../source/statement.ts";
import { schemaLosses } from "../state/losses.ts";
import type { SchemaLosses } from "../state/losses.ts";
import type { Snapshot } from "../state/snapshot.ts";

interface SchemaCheck extends CheckDefinition {
  readonly of: keyof SchemaLosses;
  readonly calm: string;
}

const checks: readonly SchemaCheck[] = [
  {
    id: "integrity.constraints-validated",
    of: "notValidated",
    title: "No constraint is left NOT VALID",
    calm: "Every constraint is validated.",
    remedy: "Add ALTER TABLE … VALIDATE CONSTRAINT, in a transaction of its own.",
  },
  {
    id: "integrity.indexes-valid",
    of: "invalidIndexes",
    title: "No index is left invalid",
    calm: "Every index is valid.",
    remedy: "Drop the index and build it again; find out what broke its CREATE INDEX CONCURRENTLY.",
  },
  {
    id: "integrity.triggers-enabled",
    of: "disabledTriggers",
    title: "No trigger is left disabled",
    calm: "No trigger was switched off.",
    remedy: "Add ALTER TABLE … ENABLE TRIGGER at the end, in the same transaction.",
  },
  {
    id: "integrity.row-security-kept",
    of: "rowSecurityOff",
    title: "Row security stays on",
    calm: "Row security is as it was.",
    remedy: "Add ALTER TABLE … ENABLE ROW LEVEL SECURITY, and FORCE where it was forced.",
  },
  {
    id: "integrity.privileges-kept",
    of: "privilegesLost",
    title: "Nobody loses privileges or ownership",
    calm: "Every role keeps what it had.",
    remedy: "Grant again what a dropped and recreated object had, in the same transaction.",
  },
  {
    id: "integrity.enum-values",
    of: "enumLabels",
    title: "Enum values and their order stay",
    calm: "Every enum keeps its values in their order.",
    remedy: "Keep the old values, in their old order; add new ones with ALTER TYPE … ADD VALUE.",
  },
  {
    id: "integrity.objects-kept",
    of: "objectsLost",
    title: "Nothing goes that no statement drops",
    calm: "No constraint, index, trigger, policy, column, view or function went silently.",
    remedy: "Recreate it on the new table, or drop it by name so that the intention is seen.",
  },
];

export const schemaCheckDefinitions: readonly CheckDefinition[] = checks;

/** The verdicts on what the schema lost from before to after a file. */
export function schemaOutcomes(before: Snapshot, after: Snapshot, file: MigrationFile): [id: string, outcome: Outcome][] {
  const rebuilt = new Set(before.tables.filter(({ name, oid }) => after.tables.some((table) => table.name === name && table.oid !== oid)).map(({ name }) => name));
  const losses = schemaLosses(before.schema, after.schema, droppedNames(file), rebuilt);
  return checks.map(({ id, of, calm }) => [id, noneOf(losses[of], calm)]);
}
