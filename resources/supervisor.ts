import { dynamic, type CustomResourceOptions, type Input } from "@pulumi/pulumi";
import type { SupervisorInputs } from "./operations/supervisor.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("supervisor");

/** One s6 supervisor for the stack: restarts what dies, rotates logs, takes everything down with it. */
export class Supervisor extends dynamic.Resource {

  constructor(name: string, args: { readonly [Key in keyof SupervisorInputs]: Input<SupervisorInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, running: undefined }, opts, "understudy", "Supervisor");
  }
}
