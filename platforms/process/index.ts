import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { all, ComponentResource, output, secret, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { folderHash } from "../../engine/folderHash.ts";
import { layoutOf, type StackLayout } from "../../engine/process/layout.ts";
import { Certificate } from "../../resources/certificate.ts";
import { PortLeases } from "../../resources/portLeases.ts";
import { Secret } from "../../resources/secret.ts";
import { Service as SupervisedService } from "../../resources/service.ts";
import { Supervisor } from "../../resources/supervisor.ts";
import { Volume as FolderVolume } from "../../resources/volume.ts";
import type { Address, Parent, Platform, Service, TlsCertificate, Volume } from "../platform.ts";
import { filesOf, probeAt } from "../inputs.ts";
import type { ServiceSpec } from "../spec.ts";
import { accountsOf, launchOf } from "./launch.ts";

export interface ProcessPlatformArgs {
  readonly stackId: string;
  /** Every port of the stack by name; leased before anything else is made. */
  readonly ports: Readonly<Record<string, number>>;
  /** Address that services listen on. Default loopback. */
  readonly host: string;
}

/** Services as supervised processes of this machine, from the system's own packages, each under its own account. */
export class ProcessPlatform extends ComponentResource implements Platform {
  readonly kind = "process";
  readonly #args: ProcessPlatformArgs;
  readonly #layout: StackLayout;
  readonly #leases: PortLeases;
  readonly #supervisor: Supervisor;

  constructor(name: string, args: ProcessPlatformArgs, opts?: ComponentResourceOptions) {
    super("understudy:platform:Process", name, {}, opts);
    this.#args = args;
    this.#layout = layoutOf(args.stackId);
    this.#leases = new PortLeases("ports", { stackId: args.stackId, ports: args.ports }, { parent: this });
    this.#supervisor = new Supervisor("supervisor", { stackId: args.stackId }, { parent: this, dependsOn: [this.#leases] });
    this.registerOutputs({ stackId: args.stackId });
  }

  hostOf(_service: string): string {
    return this.#args.host;
  }

  addressOf(service: string, port: number): Address {
    return { host: this.hostOf(service), port };
  }

  listenAddress(service: string, port: number): Address {
    return this.addressOf(service, port);
  }

  listenHosts(): readonly string[] {
    const addresses = Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address));
    return addresses.includes("::1") ? [this.#args.host, "[::1]"] : [this.#args.host];
  }

  configFolder(service: string): string {
    return this.#layout.config(service);
  }

  scratchFolder(service: string): string {
    return this.configFolder(service);
  }

  dataFolder(volume: string): string {
    return this.#layout.data(volume);
  }

  secret(name: string, options: Parent): Output<string> {
    return secret(new Secret(name, { sizeBytes: 24, revision: 1 }, this.#after(options, this.#leases)).value);
  }

  certificate(name: string, options: Parent): TlsCertificate {
    const resource = new Certificate(name, { days: 365, revision: 1 }, this.#after(options, this.#leases));
    return { resource, certificatePem: resource.certificatePem, keyPem: resource.keyPem, notAfter: resource.notAfter };
  }

  volume(name: string, kind: ServiceSpec["program"]["kind"], options: Parent): Volume {
    const resource = new FolderVolume(
      `${name}-data`,
      { stackId: this.#args.stackId, name, accounts: [...accountsOf(kind)] },
      this.#after(options, this.#supervisor),
    );
    return { resource, name, id: resource.volumeId };
  }

  service(spec: ServiceSpec, options: Parent & { readonly volume?: Volume }): Service {
    const { host, stackId } = this.#args;
    const launch = launchOf(spec, { layout: this.#layout, host });
    const { volume } = options;
    const resource = new SupervisedService(
      spec.name,
      {
        stackId,
        name: spec.name,
        program: launch.program,
        arguments: [...launch.arguments],
        accounts: [...launch.accounts],
        ports: spec.ports,
        environment: secret(output({ ...spec.environment, ...launch.environment })),
        files: filesOf(spec.files, false),
        secretFiles: secret(all([filesOf(spec.files, true), launch.secretFiles ?? []]).apply((lists) => lists.flat())),
        trees: (spec.trees ?? []).map(({ from, to }) => ({ from, to, hash: folderHash(from) })),
        ...(launch.bundle === undefined ? {} : { bundle: launch.bundle }),
        ...(launch.workingFolder === undefined ? {} : { workingFolder: launch.workingFolder }),
        ...(launch.cluster === undefined ? {} : { cluster: secret(launch.cluster) }),
        ...(launch.standby === undefined ? {} : { standby: secret(launch.standby) }),
        ...(spec.drain === undefined ? {} : { drainFile: join(this.#layout.config(spec.drain.service), spec.drain.path) }),
        stopSignal: launch.stopSignal,
        ...(launch.reloadSignal === undefined ? {} : { reloadSignal: launch.reloadSignal }),
        logs: { timestamps: spec.logs?.timestamps ?? true, routes: [...(spec.logs?.routes ?? [])] },
        probe: secret(probeAt(spec.probe, host, spec.ports.main)),
        health: { ...spec.health },
      },
      this.#after(options, this.#supervisor, ...(volume === undefined ? [] : [volume.resource])),
    );
    return { name: spec.name, resource, host, port: spec.ports.main, fingerprint: resource.fingerprint };
  }

  #after(options: Parent, ...first: Resource[]): { parent: Resource; dependsOn: Resource[] } {
    return { parent: options.parent, dependsOn: [...first, ...(options.dependsOn ?? [])] };
  }
}
