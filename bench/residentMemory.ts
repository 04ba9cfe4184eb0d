import { readdir, readFile } from "node:fs/promises";

/** The resident memory of a process and all below it, shared pages counted for each; supervisors and what they supervise are left out. */
export async function residentMb(root: number): Promise<number> {
  return (await residentKb(root)) / 1_024;
}

async function residentKb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  if (/^Name:\s+s6-/m.test(status)) return 0;
  const own = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  const children = await Promise.all((await childrenOf(pid)).map(residentKb));
  return children.reduce((sum, kb) => sum + kb, own);
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch((): string[] => []);
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")));
  return lists.flatMap((list) => list.trim().split(" ").filter((child) => child !== "").map(Number));
}
