import { stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { ValidationCheck } from "../check.ts";
import { skipped, verdict } from "../outcome.ts";
import type { ValidationTarget } from "../target.ts";
import { elsewhere } from "./services.ts";

function dataFolders(target: ValidationTarget): { service: string; folder: string }[] {
  return target.services.flatMap(({ name, dataFolder }) => (dataFolder === undefined ? [] : [{ service: name, folder: dataFolder }]));
}

export const dataFoldersPrivate: ValidationCheck = {
  id: "infrastructure.data-folders",
  category: "infrastructure",
  title: "Data folders are there and private",
  severity: "error",
  quick: true,
  run: async ({ target }) => {
    const folders = dataFolders(target);
    if (folders.length === 0) return elsewhere(target) ?? skipped("no service keeps its data in a folder of this machine", "Volumes belong to the platform.");
    const problems = await Promise.all(
      folders.map(async ({ service, folder }) => {
        const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
          if (error.code === "ENOENT") return undefined;
          throw error;
        });
        if (found === undefined) return [`${service}: ${folder} is not there`];
        if (!found.isDirectory()) return [`${service}: ${folder} is no folder`];
        const mode = found.mode & 0o777;
        return mode === 0o700 ? [] : [`${service}: ${folder} has mode 0${mode.toString(8)}, not 0700`];
      }),
    );
    return verdict(problems.flat(), {
      count: folders.length,
      evidence: folders.map(({ service, folder }) => `${service}: ${folder}, 0700`).join("\n"),
      remedy: "chmod 700 the folder; if it is gone, run `understudy up`.",
    });
  },
};

export const diskSpace: ValidationCheck = {
  id: "infrastructure.disk-space",
  category: "infrastructure",
  title: "There is room on the disk",
  severity: "error",
  quick: true,
  run: async ({ target, requirements }) => {
    const folders = [...dataFolders(target).map(({ folder }) => folder), tmpdir()];
    const seen = await Promise.all(
      folders.map(async (folder) => {
        const disk = await statfs(folder);
        return { folder, freeMb: Math.floor((disk.bavail * disk.bsize) / 1024 ** 2) };
      }),
    );
    const { minimumFreeMb } = requirements.disk;
    const problems = seen.filter(({ freeMb }) => freeMb < minimumFreeMb).map(({ folder, freeMb }) => `${folder} has ${freeMb} MB left, less than ${minimumFreeMb} MB`);
    return verdict(problems, {
      count: seen.length,
      evidence: `at least ${Math.min(...seen.map(({ freeMb }) => freeMb))} MB left, ${minimumFreeMb} MB asked for`,
      remedy: "Free some: `understudy gc` removes old backups and reports.",
    });
  },
};
