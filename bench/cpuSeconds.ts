import { readFile } from "node:fs/promises";

/** Of Linux on every machine that it runs on. */
const ticksPerSecond = 100;

/** Processor time of a process and of all its children that have ended; a PostgreSQL server's are its sessions. */
export async function cpuSeconds(pid: number): Promise<number> {
  return sum(await timesOf(pid));
}

/** Processor time of this process' children that have ended. */
export async function childrenCpuSeconds(): Promise<number> {
  return sum((await timesOf(process.pid)).slice(2));
}

/** utime, stime, cutime, cstime: the 12th to 15th field after the name, which may hold anything. */
async function timesOf(pid: number): Promise<number[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15).map(Number);
}

function sum(ticks: readonly number[]): number {
  return ticks.reduce((total, one) => total + one, 0) / ticksPerSecond;
}
