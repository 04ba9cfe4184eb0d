import { readdir, readFile } from "node:fs/promises";

/** The resident memory of a process and all below it; supervised services, which are not below it, are left out. */
export async function residentMb(root: number): Promise<number> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(
    names.map(async (name) => {
      const status = await readFile(`/proc/${name}/status`, "utf8").catch(() => "");
      const field = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
      return { pid: Number(name), parent: field("PPid"), kb: field("VmRSS"), supervised: /^Name:\s+s6-/m.test(status) };
    }),
  );
  const below = (pid: number): number => {
    const own = processes.find((one) => one.pid === pid);
    if (own === undefined || own.supervised) return 0;
    return processes.filter(({ parent }) => parent === pid).reduce((sum, child) => sum + below(child.pid), own.kb);
  };
  return below(root) / 1_024;
}
