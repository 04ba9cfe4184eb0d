import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import { exitCode, UnderstudyError } from "../engine/errors.ts";
import type { ProgressEvent } from "../engine/progress.ts";
import type { ReportBase, ReportFiles } from "../engine/report/report.ts";

/** Every method a dynamic provider can have; none is missing, so that no output is ever lost. */
export type Operations = Required<Omit<dynamic.ResourceProvider, "configure" | "read">> & {
  read(id: string, props?: unknown): Promise<dynamic.ReadResult>;
};

/** What one kind of resource does. `Outputs` always include what a later `diff` and `delete` need. */
export interface Behaviour<Inputs extends object, Outputs extends object> {
  /** Wrong inputs, found before anything is made. Runs in preview: reads only. */
  check?(olds: Partial<Inputs>, news: Inputs): Promise<readonly string[]>;
  /** Inputs whose change means another resource; the old one is deleted first. */
  readonly replaceOn?: readonly (keyof Inputs & string)[];
  /** Inputs whose change means an update in place. */
  readonly updateOn: readonly (keyof Inputs & string)[];
  /** A reason to update although no input changed: something that ran out, or stopped. */
  stale?(olds: Inputs & Outputs): boolean;
  create(inputs: Inputs): Promise<{ readonly id: string; readonly outputs: Outputs }>;
  update?(id: string, olds: Inputs & Outputs, news: Inputs): Promise<Outputs>;
  /** `undefined`: it is gone. */
  read?(id: string, props: Inputs & Outputs): Promise<Outputs | undefined>;
  delete?(id: string, props: Inputs & Outputs): Promise<void>;
}

/** Something that exists but is not well: it stays in the state, and the next `up` mends it. */
export class HalfMade extends Error {
  readonly id: string;
  readonly properties: object;
  readonly reasons: string[];

  constructor(id: string, properties: object, cause: unknown) {
    super(textOf(cause));
    this.id = id;
    this.properties = properties;
    this.reasons = [textOf(cause)];
  }
}

/** The text of an error as it crosses the engine: the exit code travels at its end. */
function textOf(error: unknown): string {
  if (error instanceof UnderstudyError) return `${error.line} (exit ${error.exitCode})`;
  return error instanceof Error ? error.message : String(error);
}

function withoutStack(error: unknown): Error {
  if (error instanceof HalfMade) return error;
  const plain = new Error(textOf(error));
  if (error instanceof UnderstudyError) plain.stack = plain.message;
  return plain;
}

/** The engine keeps a half-made thing as it is given: with its provider, or nothing could ever read or delete it. */
async function guarded<Result>(inputs: object, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HalfMade && "__provider" in inputs) Object.assign(error.properties, { __provider: inputs.__provider });
    throw withoutStack(error);
  }
}

function withoutProvider<T extends object>(inputs: T): T {
  const { __provider: _, ...own } = inputs as T & { __provider?: unknown };
  return own as T;
}

/** Fills a behaviour up to a whole provider: inputs stay in the outputs, differences are over its own keys alone. */
export function operationsOf<Inputs extends object, Outputs extends object>(
  behaviour: Behaviour<Inputs, Outputs>,
): Operations {
  const { replaceOn = [], updateOn } = behaviour;
  const changed = (olds: Inputs, news: Inputs, keys: readonly (keyof Inputs & string)[]) =>
    keys.filter((key) => !isDeepStrictEqual(olds[key], news[key]));
  const create: Operations["create"] = (inputs: Inputs) =>
    guarded(inputs, async () => {
      const own = withoutProvider(inputs);
      const { id, outputs } = await behaviour.create(own);
      return { id, outs: { ...own, ...outputs } };
    });
  return {
    check: (olds: Partial<Inputs>, news: Inputs) =>
      guarded(news, async () => {
        const reasons = (await behaviour.check?.(olds, withoutProvider(news))) ?? [];
        return { inputs: news, failures: reasons.map((reason) => ({ property: "", reason })) };
      }),
    diff: async (_id, olds: Inputs & Outputs, news: Inputs) => {
      const replaces = changed(olds, news, replaceOn);
      const updates = changed(olds, news, updateOn);
      const stale = behaviour.stale?.(olds) ?? false;
      return {
        changes: replaces.length > 0 || updates.length > 0 || stale,
        replaces,
        stables: replaces.length > 0 ? [] : ["id"],
        deleteBeforeReplace: true,
      };
    },
    create,
    update: (id, olds: Inputs & Outputs, news: Inputs) =>
      guarded(news, async () => {
        const own = withoutProvider(news);
        if (behaviour.update === undefined) return { outs: (await create(own)).outs };
        return { outs: { ...own, ...(await behaviour.update(id, olds, own)) } };
      }),
    read: (id, props) =>
      guarded({}, async () => {
        const own = props as Inputs & Outputs;
        if (behaviour.read === undefined) return { id, props: own };
        const outputs = await behaviour.read(id, own);
        return outputs === undefined ? {} : { id, props: { ...own, ...outputs } };
      }),
    delete: (id, props: Inputs & Outputs) => guarded(props, async () => behaviour.delete?.(id, withoutProvider(props))),
  };
}

const progressIntervalMs = 500;

/**
 * Prints progress as plain lines, which the engine shows under its own display; at most two a second for a step.
 * @param phase what the lines begin with: the part of the stack as people know it.
 */
export function progressLines(phase: string): (event: ProgressEvent) => void {
  let last = { step: "", atMs: 0 };
  return ({ step, message, done, total, unit }) => {
    const finished = done !== undefined && done === total;
    if (step === last.step && Date.now() - last.atMs < progressIntervalMs && !finished) return;
    last = { step, atMs: Date.now() };
    const amount = done === undefined ? "" : ` ${done}${total === undefined ? "" : `/${total}`}${unit === undefined ? "" : ` ${unit}`}`;
    console.log(`${phase}: ${step === phase ? "" : `${step}, `}${message}${amount}`);
  };
}

/**
 * Fails the deployment when a report is not green.
 * @throws UnderstudyError (exit 4) that names the failing checks and the page to look at.
 */
export function failUnlessGreen(what: string, report: ReportBase, files: ReportFiles): void {
  if (report.verdict === "passed") return;
  const failing = report.checks.filter(
    ({ status, severity }) => status === "errored" || (status === "failed" && severity === "error"),
  );
  const named = failing.slice(0, 8).map(({ id, evidence }) => `${id} (${evidence})`);
  const more = failing.length > named.length ? `, and ${failing.length - named.length} more` : "";
  throw new UnderstudyError(`${what} failed ${failing.length} check(s): ${named.join("; ")}${more}.`, {
    exitCode: exitCode.checkFailed,
    remedy: `Look at ${files.html}`,
  });
}
