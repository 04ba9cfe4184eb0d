import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { exitCode, UnderstudyError } from "../errors.ts";
import { layoutOf, stateRoot } from "./layout.ts";
import { belongsTo, listenerOn } from "./proc.ts";

const lease = z.object({ stack: z.string(), service: z.string(), port: z.int() });
export type Lease = z.infer<typeof lease>;

/** A port that cannot be had, and who holds it. */
export interface PortConflict {
  readonly service: string;
  readonly port: number;
  readonly holder: string;
}

function leaseFolder(root: string): string {
  return join(root, "leases");
}

export async function readLeases(root: string = stateRoot()): Promise<Lease[]> {
  const folder = leaseFolder(root);
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8").catch(() => "")));
  return texts.flatMap((text) => {
    const parsed = lease.safeParse(parseJson(text));
    return parsed.success ? [parsed.data] : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Which of the wanted ports cannot be had: leased by another stack, or listened on by a process while
 * this stack holds no lease for it. Reads only.
 */
export async function portConflicts(
  stackId: string,
  wanted: Readonly<Record<string, number>>,
  root: string = stateRoot(),
): Promise<PortConflict[]> {
  const leases = new Map((await readLeases(root)).map((held) => [held.port, held]));
  const conflicts = await Promise.all(
    Object.entries(wanted).map(async ([service, port]): Promise<PortConflict | undefined> => {
      const held = leases.get(port);
      if (held?.stack === stackId) return undefined;
      if (held !== undefined) return { service, port, holder: `stack ${held.stack} (its ${held.service})` };
      const listener = await listenerOn(port);
      if (listener === undefined) return undefined;
      // Its own server, which an update that did not get to its end has not taken away yet.
      if (listener !== "unknown" && (await belongsTo(layoutOf(stackId, root), listener.pid))) return undefined;
      const holder = listener === "unknown" ? "a process of another user" : `process ${listener.pid} (${listener.command.slice(0, 80)})`;
      return { service, port, holder };
    }),
  );
  return conflicts.filter((conflict) => conflict !== undefined);
}

export function describeConflicts(conflicts: readonly PortConflict[]): string {
  return conflicts
    .map(({ service, port, holder }) => `port ${port} (${service}) is held by ${holder}`)
    .join("; ");
}

/**
 * Takes leases on all ports or on none. A lease is a file made with `O_EXCL`, so that two stacks cannot both have it.
 * Idempotent for the holder; leases of this stack that are no longer wanted are let go.
 * @throws UnderstudyError (exit 3) that names every port which cannot be had and who holds it.
 */
export async function takeLeases(
  stackId: string,
  wanted: Readonly<Record<string, number>>,
  root: string = stateRoot(),
): Promise<void> {
  const conflicts = await portConflicts(stackId, wanted, root);
  if (conflicts.length > 0) throw portsTaken(conflicts);
  const folder = leaseFolder(root);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const mine = (await readLeases(root)).filter((held) => held.stack === stackId);
  const taken: number[] = [];
  for (const [service, port] of Object.entries(wanted)) {
    const content = JSON.stringify({ stack: stackId, service, port } satisfies Lease);
    const held = mine.some((own) => own.port === port);
    try {
      await writeFile(join(folder, String(port)), content, { flag: held ? "w" : "wx" });
      if (!held) taken.push(port);
    } catch (cause) {
      await Promise.all(taken.map((own) => rm(join(folder, String(own)), { force: true })));
      const again = await portConflicts(stackId, wanted, root);
      if (again.length > 0) throw portsTaken(again);
      throw cause;
    }
  }
  const ports = new Set(Object.values(wanted));
  await Promise.all(
    mine.filter((own) => !ports.has(own.port)).map((own) => rm(join(folder, String(own.port)), { force: true })),
  );
}

export function portsTaken(conflicts: readonly PortConflict[]): UnderstudyError {
  return new UnderstudyError(`Nothing was made: ${describeConflicts(conflicts)}.`, {
    exitCode: exitCode.provisioning,
    remedy: "Free it, or choose other ports: --port-offset N, or --port-offset auto.",
  });
}

export async function releaseLeases(stackId: string, root: string = stateRoot()): Promise<void> {
  const folder = leaseFolder(root);
  const mine = (await readLeases(root)).filter((held) => held.stack === stackId);
  await Promise.all(mine.map((own) => rm(join(folder, String(own.port)), { force: true })));
}

const offsetStep = 100;
const maxOffset = 20_000;

/**
 * The offset of a stack that asked for `auto`: the one it holds already, else the first multiple of 100
 * at which every port is free. Reads only; the lease is taken later and fails if someone was faster.
 */
export async function automaticOffset(
  stackId: string,
  basePorts: Readonly<Record<string, number>>,
  root: string = stateRoot(),
): Promise<number> {
  const leases = await readLeases(root);
  for (const held of leases) {
    const base = basePorts[held.service];
    if (held.stack === stackId && base !== undefined) return held.port - base;
  }
  for (let offset = offsetStep; offset <= maxOffset; offset += offsetStep) {
    const shifted = Object.fromEntries(Object.entries(basePorts).map(([service, port]) => [service, port + offset]));
    if ((await portConflicts(stackId, shifted, root)).length === 0) return offset;
  }
  throw new UnderstudyError(`No offset up to ${maxOffset} has all ${Object.keys(basePorts).length} ports free.`, {
    exitCode: exitCode.provisioning,
    remedy: "Destroy a stack that is no longer needed (`understudy gc`).",
  });
}
