import { isAbsolute, join } from "node:path";
import { parseConfig } from "../config.ts";
import { exitCode, UnderstudyError } from "../engine/errors.ts";
import type { ConnectionSettings } from "../engine/postgres/connection.ts";
import { connectionFromUrl } from "../engine/postgres/url.ts";
import { loadWorkload, type Workload } from "../engine/workload/manifest.ts";
import { project } from "./project.ts";
import { deployedStack } from "./target.ts";
import { openStack } from "./workspace.ts";

/** Production as a stack would read it. */
export interface ConfiguredSource {
  readonly connection: ConnectionSettings;
  readonly allowWritable: boolean;
  readonly workload: Workload;
}

/**
 * The source of a stack: the one in its configuration, deployed or not; else the sample that it has made.
 * @throws UnderstudyError (exit 2) when there is neither.
 */
export async function sourceOf(name: string): Promise<ConfiguredSource> {
  const open = await openStack(name, { mode: "read", runsProgram: true });
  const { entries, exists } = await (async () => {
    try {
      const all = await open.stack.getAllConfig();
      return { entries: Object.fromEntries(Object.entries(all).map(([key, { value }]) => [key, value])), exists: open.exists };
    } finally {
      await open.close();
    }
  })();
  const { sourceUrl, source, workload } = parseConfig(entries);
  if (sourceUrl !== undefined) {
    const folder = isAbsolute(workload) ? workload : join(project.root, "workloads", workload);
    return { connection: connectionFromUrl(sourceUrl), allowWritable: source.allowWritable, workload: await loadWorkload(folder) };
  }
  if (!exists) {
    throw new UnderstudyError(`Stack ${name} has no source to look at: none is configured, and its sample is not made yet.`, {
      exitCode: exitCode.usage,
      remedy: `Name one with: understudy config set --secret sourceUrl --stack ${name}`,
    });
  }
  const { copying, workload: deployed } = await deployedStack(name);
  return { connection: copying.source, allowWritable: copying.allowWritableSource, workload: deployed };
}
