import { dynamic } from "@pulumi/pulumi";
import type { Operations } from "./operations.ts";

/**
 * A dynamic provider whose closure holds nothing but the name of a module under `resources/operations/`.
 * The work is loaded when it is called, from the project's folder (`UNDERSTUDY_ROOT`, else where the engine runs),
 * so a code edit is never a diff of the state.
 */
export function providerOf(module: string): dynamic.ResourceProvider {
  const load = async (): Promise<Operations> => {
    const { pathToFileURL } = await import("node:url");
    const root = process.env["UNDERSTUDY_ROOT"] ?? process.cwd();
    const url = pathToFileURL(`${root}/resources/operations/${module}.ts`).href;
    const loaded: { readonly operations: Operations } = await import(url);
    return loaded.operations;
  };
  return {
    check: async (olds, news) => (await load()).check(olds, news),
    diff: async (id, olds, news) => (await load()).diff(id, olds, news),
    create: async (inputs) => (await load()).create(inputs),
    update: async (id, olds, news) => (await load()).update(id, olds, news),
    read: async (id, props) => (await load()).read(id ?? "", props),
    delete: async (id, props) => (await load()).delete(id, props),
  };
}
