import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { imageNames, type ImageName } from "../../engine/docker/imageNames.ts";
import { buildImages } from "./build.ts";
import { builtTag, debianImages, notInDebian } from "./catalog.ts";
import { pinImages } from "./pin.ts";

const usage = `node tools/images/main.ts build [image…]   build images of Debian's packages, for where no registry is in reach (root)
node tools/images/main.ts pin              ask the registries what each tag points to, and write the digests into platforms/docker/images.json
node tools/images/main.ts list             what can be built, and what cannot
images: ${imageNames.join(", ")}`;

function chosen(names: readonly string[]): ImageName[] {
  const wrong = names.filter((name) => !(imageNames as readonly string[]).includes(name));
  if (wrong.length > 0) throw new UnderstudyError(`${wrong.join(", ")}: no such image. There are ${imageNames.join(", ")}.`, { exitCode: exitCode.usage });
  return names.length === 0 ? [...imageNames] : (names as ImageName[]);
}

/** The options with which `understudy up` takes what was built. */
function settings(built: Partial<Record<ImageName, string>>): string {
  return Object.entries(built).map(([name, tag]) => `--set images.${name}=${tag}`).join(" ");
}

async function main([command, ...names]: readonly string[]): Promise<void> {
  switch (command) {
    case "build":
      return console.log(settings(await buildImages(chosen(names))));
    case "pin":
      for (const { name, tag, before, digest } of await pinImages()) {
        console.log(`${name.padEnd(17)} ${tag} ${digest}${before === digest ? "" : before === undefined ? " (new)" : ` (was ${before})`}`);
      }
      return;
    case "list":
      for (const name of chosen(names)) {
        const image = debianImages[name];
        console.log(`${name.padEnd(17)} ${image === undefined ? `cannot be built: ${notInDebian[name]}` : `${builtTag(name)} of ${image.packages.join(", ")}`}`);
      }
      return;
    default:
      throw new UnderstudyError(command === undefined ? "What is to be done?" : `"${command}" is no command.`, { exitCode: exitCode.usage, remedy: `\n${usage}` });
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UnderstudyError)) throw error;
  console.error(error.line);
  process.exitCode = error.exitCode;
}
