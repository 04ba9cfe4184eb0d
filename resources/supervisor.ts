import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import type { SupervisorInputs } from "./operations/supervisor.ts";
import { DynamicResource } from "./provider.ts";

/** One s6 supervisor for the stack: restarts what dies, rotates logs, takes everything down with it. */
export class Supervisor extends DynamicResource {

  constructor(name: string, args: { readonly [Key in keyof SupervisorInputs]: Input<SupervisorInputs[Key]> }, opts?: CustomResourceOptions) {
    super("Supervisor", "supervisor", name, { ...args, running: undefined }, opts);
  }
}
