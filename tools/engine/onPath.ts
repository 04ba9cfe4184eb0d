import { execFile } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../../engine/process/findProgram.ts";
import { atLeast, versionIn } from "../version.ts";
import type { EngineContext, Outcome } from "./attempts.ts";

/** What the engine starts for dynamic resources; it looks beside itself and on PATH. */
export const dynamicProvider = "pulumi-resource-pulumi-nodejs";

/** The `pulumi` on PATH, if it is new enough and has the provider for dynamic resources. */
export async function engineOnPath(context: EngineContext): Promise<Outcome> {
  const pulumiPath = findProgram("pulumi", context.env);
  if (pulumiPath === undefined) return { passedOver: "not found" };

  const version = await versionOf(pulumiPath, context);
  const numbers = versionIn(version);
  if (numbers === undefined) return { passedOver: `${pulumiPath} does not tell its version` };
  if (!atLeast(numbers, versionIn(context.version) ?? [])) {
    return { passedOver: `${pulumiPath} is ${version}, older than ${context.version}` };
  }
  const beside = findProgram(dynamicProvider, { PATH: `${dirname(pulumiPath)}:${context.env["PATH"] ?? ""}` });
  if (beside === undefined) return { passedOver: `${pulumiPath} comes without ${dynamicProvider}` };
  return { pulumiPath, version };
}

/** Asking takes a second, so the answer is kept for as long as the file stays the same. */
async function versionOf(pulumiPath: string, { cache, env }: EngineContext): Promise<string> {
  const { mtimeMs, size } = await stat(pulumiPath);
  const key = `${pulumiPath} ${mtimeMs} ${size}`;
  const file = join(cache, "pulumi", "versions.json");
  const known = await readFile(file, "utf8").then(parseAnswers, () => ({}) as Record<string, string>);
  const before = known[key];
  if (before !== undefined) return before;

  const { stdout } = await promisify(execFile)(pulumiPath, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeout: 10_000,
  });
  const version = stdout.trim().replace(/^v/, "");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ [key]: version }));
  return version;
}

function parseAnswers(text: string): Record<string, string> {
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    return {};
  }
}
