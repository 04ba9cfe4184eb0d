import { chmod, mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { build, stop } from "esbuild";
import { exitCode, UnderstudyError } from "../errors.ts";

/** esbuild's own way to let bundled CommonJS call `require` from an ES module. */
const requireBanner = 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/** The bundler's service is ended after each bundle, and with it whatever else it had at hand: one at a time. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Bundles a TypeScript entry with all it imports into one ES module, readable by every account, so that a service
 * which may not enter the checkout can run it, and starts faster.
 * @throws UnderstudyError (exit 3) with esbuild's first error.
 */
export function bundleApp(entry: string, outfile: string): Promise<void> {
  const bundling = last.then(() => bundleOne(entry, outfile));
  last = bundling.catch(() => {});
  return bundling;
}

async function bundleOne(entry: string, outfile: string): Promise<void> {
  await mkdir(dirname(outfile), { recursive: true, mode: 0o755 });
  const draft = `${outfile}.draft.mjs`;
  try {
    await build({
      entryPoints: [entry],
      outfile: draft,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node22",
      sourcemap: false,
      keepNames: true,
      banner: { js: requireBanner },
      logLevel: "silent",
    });
  } catch (cause) {
    throw new UnderstudyError(`The app ${entry} cannot be bundled: ${String(cause).split("\n").slice(0, 3).join(" ")}.`, {
      exitCode: exitCode.provisioning,
      cause,
    });
  } finally {
    // Its service would stay, with a hundred megabytes, for as long as this process.
    await stop();
  }
  await chmod(draft, 0o644);
  await rename(draft, outfile);
}
