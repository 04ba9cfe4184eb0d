import { readdir, stat } from "node:fs/promises";
import { layoutOf } from "./layout.ts";
import { readLeases } from "./leases.ts";
import { processesOf } from "./proc.ts";

/** Whatever of a stack is still on this machine, a line each: processes, its folder, its leases. */
export async function leftoversOf(stackId: string): Promise<string[]> {
  const layout = layoutOf(stackId);
  const [processes, leases, folder] = await Promise.all([
    processesOf(layout),
    readLeases(),
    stat(layout.folder).then(
      () => readdir(layout.folder),
      () => undefined,
    ),
  ]);
  return [
    ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
    ...(folder === undefined ? [] : [`folder ${layout.folder} (${folder.length} entries)`]),
    ...leases.filter(({ stack }) => stack === stackId).map(({ port, service }) => `lease on port ${port} (${service})`),
  ];
}
