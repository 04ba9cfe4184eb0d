import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { parseReportName, reportPrefix, type ReportKind } from "./fileName.ts";

/** One run's files in a folder; the JSON is always there, its companions may have been removed. */
export interface FoundReport {
  readonly at: Date;
  readonly json: string;
  readonly html?: string;
  readonly junit?: string;
}

/** Every report of a kind that a stack has, newest first. A folder that does not exist holds none. */
export async function findReports(folder: string, kind: ReportKind, stack: string): Promise<FoundReport[]> {
  const absolute = resolve(folder);
  const names = await readdir(absolute).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const wanted = reportPrefix(kind, stack);
  const present = new Set(names);
  return names
    .flatMap((name) => {
      const parsed = parseReportName(name);
      return parsed === undefined || parsed.prefix !== wanted || parsed.extension !== "json" ? [] : [{ name, parsed }];
    })
    .sort(({ parsed: left }, { parsed: right }) => right.at.getTime() - left.at.getTime() || right.attempt - left.attempt)
    .map(({ name, parsed }) => {
      const companion = (extension: string) => name.replace(/json$/, extension);
      return {
        at: parsed.at,
        json: join(absolute, name),
        ...(present.has(companion("html")) ? { html: join(absolute, companion("html")) } : {}),
        ...(present.has(companion("xml")) ? { junit: join(absolute, companion("xml")) } : {}),
      };
    });
}

/** The newest report of a kind that a stack has, or nothing. */
export async function findNewestReport(folder: string, kind: ReportKind, stack: string): Promise<FoundReport | undefined> {
  return (await findReports(folder, kind, stack))[0];
}

/**
 * Reads a report's JSON against its schema.
 * @throws UnderstudyError (exit 1) when it cannot be read or is of another schema or version.
 */
export async function readReport<Schema extends z.ZodType>(file: string, schema: Schema): Promise<z.infer<Schema>> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new UnderstudyError(`The report ${file} cannot be read: ${why}`, {
      exitCode: exitCode.unexpected,
      remedy: "Run the step again to write a new one.",
      cause,
    });
  }
}
