import { CustomResource, type CustomResourceOptions, type Inputs } from "@pulumi/pulumi";

/**
 * What the engine's dynamic provider evaluates for one kind of resource: the text that serialising a thin closure would
 * give, written out, since serialising a dozen of them costs seconds. It holds nothing but the name of a module under
 * `resources/operations/`, which is loaded when it is called, from the project's folder (`UNDERSTUDY_ROOT`, else where the
 * engine runs): a code edit is never a diff of the state. The contract is `handler` of `@pulumi/pulumi/cmd/dynamic-provider`.
 */
export function providerText(module: string): string {
  if (!/^[a-zA-Z]+$/.test(module)) throw new Error(`"${module}" is no name of a module`);
  return `exports.handler = () => {
  const load = async () => {
    const { pathToFileURL } = require("node:url");
    const root = process.env.UNDERSTUDY_ROOT || process.cwd();
    return (await import(pathToFileURL(root + "/resources/operations/${module}.ts").href)).operations;
  };
  return {
    check: async (olds, news) => (await load()).check(olds, news),
    diff: async (id, olds, news) => (await load()).diff(id, olds, news),
    create: async (inputs) => (await load()).create(inputs),
    update: async (id, olds, news) => (await load()).update(id, olds, news),
    read: async (id, props) => (await load()).read(id, props),
    delete: async (id, props) => (await load()).delete(id, props),
  };
};
`;
}

/** A resource of the engine's dynamic provider, its work in `resources/operations/<module>.ts`. */
export class DynamicResource extends CustomResource {
  constructor(kind: string, module: string, name: string, inputs: Inputs, opts?: CustomResourceOptions) {
    super(`pulumi-nodejs:dynamic/understudy:${kind}`, name, { ...inputs, __provider: providerText(module) }, opts);
  }
}
