import { access, mkdir, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { baseName, reportPrefix, type ReportKind } from "./fileName.ts";
import { renderJunit } from "./junit.ts";
import { reportBase, type ReportBase, type ReportFiles } from "./report.ts";

export interface WriteReportOptions {
  /** Created when missing. */
  readonly folder: string;
  readonly kind: ReportKind;
  /** The whole HTML page, from `renderPage`. */
  readonly page: string;
  /** Also write JUnit XML. Default false. */
  readonly junit?: boolean;
  /** Names the files. Default: now. */
  readonly now?: Date;
}

const mostAttempts = 1_000;
const staleAfterMs = 10 * 60_000;

/**
 * Writes one run's files: `<kind>-<stack>-<UTC timestamp>.html`, `.xml` when asked, and last `.json`, so that whoever finds the JSON
 * finds the others. Each appears whole or not at all; an existing file is never overwritten (`-2`, `-3` … are added).
 * @throws UnderstudyError (exit 1) when the folder cannot be written; nothing is left behind then.
 */
export async function writeReport(report: ReportBase, options: WriteReportOptions): Promise<ReportFiles> {
  if (!/^[a-z][a-z0-9-]*$/.test(options.kind)) throw new Error(`report kind "${options.kind}" is not lower-case-with-hyphens`);
  reportBase.parse(report);
  const contents: readonly (readonly [extension: string, text: string])[] = [
    ["html", options.page],
    ...(options.junit === true ? [["xml", renderJunit(report)] as const] : []),
    ["json", `${JSON.stringify(report, null, 2)}\n`],
  ];
  const folder = resolve(options.folder);
  try {
    await mkdir(folder, { recursive: true });
    await removeStaleReservations(folder);
    const base = await publish(folder, reportPrefix(options.kind, report.stack), options.now ?? new Date(), contents);
    const file = (extension: string) => join(folder, `${base}.${extension}`);
    return {
      json: file("json"),
      html: file("html"),
      ...(options.junit === true ? { junit: file("xml") } : {}),
    };
  } catch (cause) {
    throw new UnderstudyError(`The report could not be written to ${folder}: ${messageOf(cause)}.`, {
      exitCode: exitCode.unexpected,
      remedy: "Check the folder's permissions and the space left on its disk.",
      cause,
    });
  }
}

/** A hidden folder holds the name while the files are made in it: `mkdir` is what lets only one writer have it. */
const reservationOf = (folder: string, base: string) => join(folder, `.${base}.writing`);

async function publish(
  folder: string,
  prefix: string,
  now: Date,
  contents: readonly (readonly [extension: string, text: string])[],
): Promise<string> {
  for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
    const base = baseName(prefix, now, attempt);
    const reservation = reservationOf(folder, base);
    if (!(await reserve(reservation))) continue;
    const placed: string[] = [];
    try {
      if (await anyExists(["json", "html", "xml"].map((extension) => join(folder, `${base}.${extension}`)))) continue;
      for (const [extension, text] of contents) {
        await writeFile(join(reservation, extension), text, { flush: true });
      }
      for (const [extension] of contents) {
        const target = join(folder, `${base}.${extension}`);
        await rename(join(reservation, extension), target);
        placed.push(target);
      }
      await rmdir(reservation);
      return base;
    } catch (error) {
      await Promise.all(placed.map((file) => rm(file, { force: true })));
      throw error;
    } finally {
      await rm(reservation, { recursive: true, force: true });
    }
  }
  throw new Error(`${mostAttempts} reports ${prefix} in one second`);
}

async function reserve(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function anyExists(files: readonly string[]): Promise<boolean> {
  const found = await Promise.all(files.map((file) => access(file).then(() => true, () => false)));
  return found.includes(true);
}

/** What a killed writer left. */
async function removeStaleReservations(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(".") && name.endsWith(".writing"));
  for (const name of names) {
    const path = join(folder, name);
    const made = await stat(path).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > staleAfterMs) await rm(path, { recursive: true, force: true });
  }
}
