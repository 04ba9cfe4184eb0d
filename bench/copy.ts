import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { jobs, onPath, runDumpPipe, runDumpRestore, runOurs, runPgcopydb } from "./copy/contenders.ts";
import type { Ours } from "./copy/contenders.ts";
import { startBenchWorld } from "./copy/world.ts";
import type { BenchWorld, Variant } from "./copy/world.ts";
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

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const best = (seconds: readonly number[]): number => Math.min(...seconds);
const loadingSeconds = ({ stages }: Ours): number => stages.reduce((sum, { stage, durationMs }) => sum + (loading.has(stage) ? durationMs : 0), 0) / 1_000;

function sayOurs(name: string, ours: Ours): void {
  const stages = ours.stages.map(({ stage, durationMs }) => `${stage} ${(durationMs / 1_000).toFixed(2)}`).join(", ");
  say(`  ours, ${name}: ${ours.seconds.toFixed(2)} s (loading alone ${loadingSeconds(ours).toFixed(2)} s), ${ours.peakMb.toFixed(0)} MB; ${stages}`);
}

async function oursOf(world: BenchWorld, variant: Variant): Promise<Ours> {
  await world.settle();
  const ours = await runOurs(world, variant);
  sayOurs(variant, ours);
  return ours;
}

const pgcopydb = await onPath("pgcopydb");
const runs = { unmasked: [] as Ours[], masked: [] as Ours[], subset: [] as Ours[], dumpRestore: [] as number[], dumpPipe: [] as number[], pgcopydb: [] as number[] };

say(`${accounts} accounts of 8 columns with 4 indexes, and 39 tables more; ${cpus().length} cores, ${jobs} workers each, fsync on, ${rounds} rounds`);
say("Ours is the whole process: start of Node, guard, plan, masking, rows, indexes and constraints, ANALYZE, grants, verification of every table, leak scan, switch, report.");
say("The others: schema, rows, indexes and constraints.");
const world = await startBenchWorld(accounts);
try {
  const contend = async (name: string, into: number[], run: () => Promise<number>): Promise<void> => {
    await world.settle();
    const seconds = await run();
    into.push(seconds);
    say(`  ${name}: ${seconds.toFixed(2)} s`);
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

const unmasked = best(runs.unmasked.map(({ seconds }) => seconds));
const dumpRestore = best(runs.dumpRestore);
atMost("unmasked-to-dump-restore", unmasked / dumpRestore, "ratio", 0.7);
atMost("unmasked-loading-to-dump-restore", best(runs.unmasked.map(loadingSeconds)) / dumpRestore, "ratio", 0.7);
atMost("masked-to-unmasked", best(runs.masked.map(({ seconds }) => seconds)) / unmasked, "ratio", 2);
atMost("masked-loading-to-unmasked-loading", best(runs.masked.map(loadingSeconds)) / best(runs.unmasked.map(loadingSeconds)), "ratio", 2);
atMost("subset-of-ten", best(runs.subset.map(({ seconds }) => seconds)), "s", 3);
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
