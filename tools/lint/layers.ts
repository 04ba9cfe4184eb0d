import { dirname, join, relative, sep } from "node:path";

interface Layer {
  /** Files and folders of the project that may be imported, as path prefixes. */
  mayImport: readonly string[];
  /** Prefixes left out of the above. */
  except?: readonly string[];
  /** Packages this layer must not know, as prefixes. */
  withoutPackages?: readonly string[];
}

/**
 * Which part of the project may import which: one way, from the command down to the engine.
 * No layer but the tests and benchmarks may import `workloads/`: a workload is loaded from config, never by name.
 */
const layers: Readonly<Record<string, Layer>> = {
  "engine/": { mayImport: ["engine/"], withoutPackages: ["@pulumi/"] },
  "resources/": { mayImport: ["resources/", "engine/"] },
  "platforms/": { mayImport: ["platforms/", "resources/", "engine/"] },
  "components/": {
    mayImport: ["components/", "platforms/spec.ts", "platforms/platform.ts", "resources/", "engine/", "config.ts"],
    except: ["resources/process"],
  },
  "config.ts": { mayImport: ["engine/"], withoutPackages: ["@pulumi/"] },
  "index.ts": { mayImport: ["components/", "platforms/", "resources/", "engine/", "config.ts"] },
  "cli/": { mayImport: ["cli/", "index.ts", "config.ts", "components/", "platforms/", "resources/", "engine/", "tools/"] },
  "tools/": { mayImport: ["tools/", "engine/"] },
  "workloads/": { mayImport: ["workloads/", "engine/"], withoutPackages: ["@pulumi/"] },
};

/**
 * Says why a file must not import something, or nothing when it may.
 *
 * @param root absolute folder of the project
 * @param importer absolute path of the importing file
 * @param specifier what stands after `from`
 */
export function whyForbidden(root: string, importer: string, specifier: string): string | undefined {
  const from = relative(root, importer).split(sep).join("/");
  const name = Object.keys(layers).find((prefix) => from.startsWith(prefix));
  const layer = name === undefined ? undefined : layers[name];
  if (layer === undefined) return undefined;

  if (!specifier.startsWith(".")) {
    if (!layer.withoutPackages?.some((prefix) => specifier.startsWith(prefix))) return undefined;
    return `${from} must not import ${specifier}: ${name} works without ${layer.withoutPackages.join(", ")}. ${advice}`;
  }

  const target = relative(root, join(dirname(importer), specifier)).split(sep).join("/");
  const allowed = layer.mayImport.some((prefix) => target.startsWith(prefix));
  const excepted = layer.except?.some((prefix) => target.startsWith(prefix)) ?? false;
  if (allowed && !excepted) return undefined;
  const but = layer.except === undefined ? "" : ` but not ${layer.except.join(", ")}`;
  return `${from} must not import ${target}: ${name} may import ${layer.mayImport.join(", ")}${but}. ${advice}`;
}

const advice = "Move the code down a layer or pass the value in; the layers are in tools/lint/layers.ts.";
