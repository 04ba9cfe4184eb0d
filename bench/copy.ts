import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { jobs, onPath, runDumpPipe, runDumpRestore, runOurs, runPgcopydb } from "./copy/contenders.ts";
import type { Ours } from "./copy/contenders.ts";
import { startBenchWorld } from "./copy/world.ts";
import type { BenchWorld, Variant } from "./copy/world.ts";
import { childrenCpuSeconds } from "./cpuSeconds.ts";
import { publish } from "./figures.ts";
import type { Figure } from "./figures.ts";

/**
 * The data copy against PostgreSQL's own programs, and against itself: masked, subset, ten times the rows.
 * Contenders take turns, round after round; of each the best round counts, so that what else the machine does weighs on all alike.
 */
const { values } = parseArgs({
  options: {
    accounts: { type: "string", default: "1500000" },
    rounds: { type: "string", default: "3" },
    /** Leave out the run with ten times the rows. */
    "no-tenfold": { type: "boolean", default: false },
  },
});
const accounts = Number(values.accounts);
const rounds = Number(values.rounds);

/** Stages of ours that the other programs do too: schema, rows, indexes and constraints. */
const loading = new Set(["dump the schema", "make the tables", "copy rows", "cut references", "build indexes and constraints"]);

interface Turn {
  readonly seconds: number;
  readonly cpuSeconds: number;
}
type OursTurn = Ours & Turn;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const best = (turns: readonly Turn[]): number => Math.min(...turns.map(({ seconds }) => seconds));
const loadingSeconds = ({ stages }: Ours): number => stages.reduce((sum, { stage, durationMs }) => sum + (loading.has(stage) ? durationMs : 0), 0) / 1_000;
const bestLoading = (turns: readonly Ours[]): number => Math.min(...turns.map(loadingSeconds));

/** Both servers at rest before, and what they and the programs worked. */
async function takeTurn<Result extends { readonly seconds: number }>(world: BenchWorld, run: () => Promise<Result>): Promise<Result & Turn> {
  await world.settle();
  const worked = async (): Promise<number> => (await world.serverCpuSeconds()) + (await childrenCpuSeconds());
  const before = await worked();
  const result = await run();
  // Sessions that have just ended are the server's only a moment later.
  await sleep(300);
  return { ...result, cpuSeconds: (await worked()) - before };
}
function sayOurs(name: string, ours: OursTurn): void {
  const stages = ours.stages.map(({ stage, durationMs }) => `${stage} ${(durationMs / 1_000).toFixed(2)}`).join(", ");
  say(`  ours, ${name}: ${ours.seconds.toFixed(2)} s (loading alone ${loadingSeconds(ours).toFixed(2)} s), ${ours.cpuSeconds.toFixed(2)} s of processors, ${ours.peakMb.toFixed(0)} MB; ${stages}`);
}

async function oursOf(world: BenchWorld, variant: Variant): Promise<OursTurn> {
  const ours = await takeTurn(world, () => runOurs(world, variant));
  sayOurs(variant, ours);
  return ours;
}

const pgcopydb = await onPath("pgcopydb");
const runs = { unmasked: [] as OursTurn[], masked: [] as OursTurn[], subset: [] as OursTurn[], dumpRestore: [] as Turn[], dumpPipe: [] as Turn[], pgcopydb: [] as Turn[] };

say(`${accounts} accounts of 8 columns with 4 indexes, and 39 tables more; ${cpus().length} cores, ${jobs} workers each, fsync on, ${rounds} rounds`);
say("Loading alone is what the others do too: schema, rows, indexes and constraints. Ours is the whole process: start of Node, guard, plan, masking, rows, indexes and constraints, ANALYZE, grants, verification of every table, leak scan, switch, report.");
const world = await startBenchWorld(accounts);
try {
  const contend = async (name: string, into: Turn[], run: () => Promise<number>): Promise<void> => {
    const turn = await takeTurn(world, async () => ({ seconds: await run() }));
    into.push(turn);
    say(`  ${name}: ${turn.seconds.toFixed(2)} s, ${turn.cpuSeconds.toFixed(2)} s of processors`);
  };
  for (let round = 1; round <= rounds; round += 1) {
    say(`round ${round}`);
    runs.unmasked.push(await oursOf(world, "unmasked"));
    await contend(`pg_dump -Fd -j${jobs} -Z0 + pg_restore -j${jobs}`, runs.dumpRestore, () => runDumpRestore(world));
    runs.masked.push(await oursOf(world, "masked"));
    await contend("pg_dump | psql", runs.dumpPipe, () => runDumpPipe(world));
    if (pgcopydb !== undefined) await contend("pgcopydb clone", runs.pgcopydb, () => runPgcopydb(world, pgcopydb));
    runs.subset.push(await oursOf(world, "subset"));
  }
} finally {
  await world.stop();
}
if (pgcopydb === undefined) say("pgcopydb: skipped, not on PATH");
say("Greenmask: skipped, not on PATH");

const figures: Figure[] = [];
const atMost = (name: string, value: number, unit: Figure["unit"], bound: number): void =>
  void figures.push({ name, value, unit, bound: { relation: "<=", value: bound } });

const unmasked = best(runs.unmasked);
const dumpRestore = best(runs.dumpRestore);
atMost("unmasked-to-dump-restore", unmasked / dumpRestore, "ratio", 0.7);
atMost("unmasked-loading-to-dump-restore", bestLoading(runs.unmasked) / dumpRestore, "ratio", 0.7);
atMost("masked-to-unmasked", best(runs.masked) / unmasked, "ratio", 2);
atMost("masked-loading-to-unmasked-loading", bestLoading(runs.masked) / bestLoading(runs.unmasked), "ratio", 2);
atMost("subset-of-ten", best(runs.subset), "s", 3);
const peakMb = Math.max(...[...runs.unmasked, ...runs.masked, ...runs.subset].map((ours) => ours.peakMb));
atMost("peak-memory", peakMb, "MB", 200);

if (!values["no-tenfold"]) {
  say(`ten times the rows`);
  const tenfold = await startBenchWorld(10 * accounts);
  try {
    const ours = await oursOf(tenfold, "masked");
    atMost("memory-at-ten-times-the-rows", ours.peakMb / Math.max(...runs.masked.map((one) => one.peakMb)), "ratio", 1.1);
  } finally {
    await tenfold.stop();
  }
}
await publish("copy", figures, runs);
