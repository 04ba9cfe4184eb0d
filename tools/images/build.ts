import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import type { ImageName } from "../../engine/docker/imageNames.ts";
import { findProgram } from "../../engine/process/findProgram.ts";
import { say, spoken } from "../say.ts";
import { baseTag, builtTag, debianImages, notInDebian, renderDockerfile } from "./catalog.ts";

const run = promisify(execFile);
const release = "bookworm";
const mirror = "http://deb.debian.org/debian";
const largestOutputBytes = 64 * 1024 ** 2;

function docker(): string {
  const program = findProgram("docker");
  if (program === undefined) throw missing("docker", "the command of Docker (package docker.io)");
  return program;
}

/** Runs a program; the end of what it printed goes into the error. */
async function runTool(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  try {
    return (await run(program, args, { maxBuffer: largestOutputBytes, env: { ...process.env, ...env } })).stdout;
  } catch (cause) {
    const printed = cause instanceof Error && "stderr" in cause ? `${"stdout" in cause ? String(cause.stdout) : ""}${String(cause.stderr)}` : String(cause);
    throw new UnderstudyError(`${program} ${args.slice(0, 2).join(" ")} failed: ${printed.trimEnd().split("\n").slice(-8).join("\n  ")}`, { exitCode: exitCode.provisioning, cause });
  }
}

async function imageExists(tag: string): Promise<boolean> {
  return run(docker(), ["image", "inspect", tag]).then(
    () => true,
    () => false,
  );
}

/** A small Debian, packed as an image: debootstrap makes it in a folder of its own. */
async function buildBase(): Promise<void> {
  if (await imageExists(baseTag)) return;
  const debootstrap = findProgram("debootstrap");
  if (debootstrap === undefined) throw missing("debootstrap", "makes the base of the images (package debootstrap)");
  if (process.getuid?.() !== 0) throw new UnderstudyError("The base can be made by root only: debootstrap makes devices and accounts.", { exitCode: exitCode.usage, remedy: "Run it with sudo." });
  const startedMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "understudy-images-"));
  const root = join(folder, "root");
  try {
    await mkdir(root, { mode: 0o755 });
    await runTool(debootstrap, ["--variant=minbase", release, root, mirror]);
    // Nothing that is installed later starts a service, or makes a cluster.
    await writeFile(join(root, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    await mkdir(join(root, "etc/postgresql-common"), { recursive: true });
    await writeFile(join(root, "etc/postgresql-common/createcluster.conf"), "create_main_cluster = false\n");
    await writeFile(join(root, "etc/apt/sources.list"), `deb ${mirror} ${release} main\ndeb ${mirror} ${release}-updates main\ndeb ${mirror}-security ${release}-security main\n`);
    await importFolder(root, `${baseTag}-plain`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await buildFrom(`FROM ${baseTag}-plain\nRUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get upgrade --yes\n`, baseTag);
  say("base", `${baseTag} made in ${spoken(performance.now() - startedMs)}`);
}

/** `tar | docker import`: no archive lies on the disk. */
async function importFolder(folder: string, tag: string): Promise<void> {
  const tar = spawn("tar", ["-C", folder, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
  const importer = spawn(docker(), ["import", "-", tag], { stdio: ["pipe", "ignore", "inherit"] });
  const [packed, , imported] = await Promise.all([once(tar, "exit"), pipeline(tar.stdout, importer.stdin), once(importer, "exit")]);
  const codes: unknown[] = [packed[0], imported[0]];
  if (codes.some((code) => code !== 0)) throw new UnderstudyError(`docker import of ${tag} failed: tar ended with ${codes[0]}, docker with ${codes[1]}.`, { exitCode: exitCode.provisioning });
}

async function buildFrom(dockerfile: string, tag: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), "understudy-images-"));
  try {
    await writeFile(join(context, "Dockerfile"), dockerfile);
    for (const [name, path] of Object.entries(files)) await copyFile(path, join(context, name));
    // The classic builder: in every engine, without a plugin.
    await runTool(docker(), ["build", "--network", "host", "--tag", tag, context], { DOCKER_BUILDKIT: "0" });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/**
 * Builds images of Debian's packages, those that are there already left alone.
 * @returns what was asked for, by name, with its tag; what cannot be built is said and left out.
 * @throws UnderstudyError (exit 3) when a tool is missing or fails.
 */
export async function buildImages(names: readonly ImageName[]): Promise<Partial<Record<ImageName, string>>> {
  const built: Partial<Record<ImageName, string>> = {};
  let base: Promise<void> | undefined;
  for (const name of names) {
    const image = debianImages[name];
    if (image === undefined) {
      say(name, `is in no package of Debian's: ${notInDebian[name] ?? "left out"}`);
      continue;
    }
    const tag = builtTag(name);
    if (await imageExists(tag)) {
      say(name, `${tag} is there`);
    } else {
      base ??= buildBase();
      await base;
      const startedMs = performance.now();
      await buildFrom(renderDockerfile(image), tag, image.ownNode === true ? { node: process.execPath } : {});
      say(name, `${tag} made in ${spoken(performance.now() - startedMs)}`);
    }
    built[name] = tag;
  }
  return built;
}

function missing(program: string, purpose: string): UnderstudyError {
  return new UnderstudyError(`${program} is not installed: ${purpose}.`, { exitCode: exitCode.provisioning });
}
