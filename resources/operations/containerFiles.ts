import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeServiceFolder, type ContainerUser } from "../../engine/docker/serviceFiles.ts";
import { layoutOf } from "../../engine/process/layout.ts";
import type { ServiceFile } from "../../engine/process/service.ts";
import { operationsOf } from "../operations.ts";
import type { Tree } from "./service.ts";

export interface ContainerFilesInputs {
  readonly stackId: string;
  readonly name: string;
  readonly user: ContainerUser;
  readonly files: readonly ServiceFile[];
  readonly secretFiles: readonly ServiceFile[];
  readonly trees: readonly Tree[];
  /** A TypeScript entry, bundled into that file of the folder. */
  readonly bundle?: { readonly entry: string; readonly file: string; readonly sourceHash: string };
}

export interface ContainerFilesOutputs {
  readonly present: boolean;
}

async function write(inputs: ContainerFilesInputs): Promise<ContainerFilesOutputs> {
  const { stackId, name, user, trees, bundle } = inputs;
  const folder = layoutOf(stackId).config(name);
  const files = [...inputs.files, ...inputs.secretFiles];
  await writeServiceFolder({ folder, user, files: bundle === undefined ? files : [...files, await bundled(bundle, folder)], trees });
  return { present: true };
}

async function bundled({ entry, file }: NonNullable<ContainerFilesInputs["bundle"]>, folder: string): Promise<ServiceFile> {
  const { bundleApp } = await import("../../engine/process/bundle.ts");
  const draft = join(folder, `${file}.bundle.mjs`);
  await bundleApp(entry, draft);
  const content = await readFile(draft, "utf8");
  await rm(draft, { force: true });
  return { path: file, content };
}

export const operations = operationsOf<ContainerFilesInputs, ContainerFilesOutputs>({
  replaceOn: ["stackId", "name"],
  updateOn: ["user", "files", "secretFiles", "trees", "bundle"],
  stale: ({ present }) => !present,
  async create(inputs) {
    return { id: `${inputs.stackId}/${inputs.name}`, outputs: await write(inputs) };
  },
  update: (_id, _olds, news) => write(news),
  async read(_id, { stackId, name, files, secretFiles, bundle }) {
    const folder = layoutOf(stackId).config(name);
    const paths = [...files, ...secretFiles].map(({ path }) => path).concat(bundle?.file ?? []);
    const there = await Promise.all(paths.map((path) => stat(join(folder, path)).then(() => true, () => false)));
    return { present: !there.includes(false) };
  },
  async delete(_id, { stackId, name }) {
    await rm(layoutOf(stackId).config(name), { recursive: true, force: true });
  },
});
