import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";

/** A part of the stack as people think of it, and the resource whose end is its end. */
export interface Phase {
  readonly title: string;
  readonly resource: string;
}

/** In the order of `up`. */
export const phases: readonly Phase[] = [
  { title: "ports", resource: "ports" },
  { title: "supervisor", resource: "supervisor" },
  { title: "database", resource: "staging-setup" },
  { title: "source", resource: "sample-source" },
  { title: "backup", resource: "backup" },
  { title: "data copy", resource: "data-copy" },
  { title: "cache", resource: "cache" },
  { title: "app", resource: "app" },
  { title: "proxy", resource: "proxy" },
  { title: "monitoring", resource: "prometheus" },
  { title: "migration rehearsal", resource: "migration-test" },
  { title: "validation", resource: "validation" },
];

export type StepState = "running" | "done" | "failed";

/** What an event says of one resource. */
export interface Step {
  readonly resource: string;
  readonly operation: string;
  readonly state: StepState;
}

const verbs: Readonly<Record<string, string>> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  same: "unchanged",
  read: "read",
  refresh: "refreshed",
  replace: "replaced",
  "create-replacement": "replaced",
  "delete-replaced": "removed for its replacement",
};

export function pastTense(operation: string): string {
  return verbs[operation] ?? operation;
}

/** Components are not resources of their own: nothing runs in them. */
function isComponent(type: string): boolean {
  return type.startsWith("understudy:") || type === "pulumi:pulumi:Stack" || type.startsWith("pulumi:providers:");
}

export function stepOf(event: EngineEvent): Step | undefined {
  const { resourcePreEvent, resOutputsEvent, resOpFailedEvent } = event;
  const metadata = resourcePreEvent?.metadata ?? resOutputsEvent?.metadata ?? resOpFailedEvent?.metadata;
  if (metadata === undefined || isComponent(metadata.type)) return undefined;
  const resource = metadata.urn.split("::").at(-1) ?? metadata.urn;
  const state = resourcePreEvent !== undefined ? "running" : resOpFailedEvent !== undefined ? "failed" : "done";
  return { resource, operation: metadata.op, state };
}

/** A line of progress that a resource printed (see `progressLines`), `undefined` for anything else. */
export function progressOf(event: EngineEvent): string | undefined {
  const { diagnosticEvent } = event;
  if (diagnosticEvent === undefined || !diagnosticEvent.severity.startsWith("info")) return undefined;
  const text = diagnosticEvent.message.trim();
  return text === "" ? undefined : text;
}
