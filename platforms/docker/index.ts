import { existsSync } from "node:fs";
import { Container } from "@pulumi/docker/container.js";
import { Network } from "@pulumi/docker/network.js";
import { RemoteImage } from "@pulumi/docker/remoteImage.js";
import { Volume as DockerVolume } from "@pulumi/docker/volume.js";
import { RandomPassword } from "@pulumi/random/randomPassword.js";
import { all, ComponentResource, secret, unsecret, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { dockerLabels } from "../../engine/docker/api.ts";
import { hashOfFiles } from "../../engine/docker/serviceFiles.ts";
import { folderHash } from "../../engine/folderHash.ts";
import { layoutOf, type StackLayout } from "../../engine/process/layout.ts";
import { Certificate } from "../../resources/certificate.ts";
import { ContainerFiles } from "../../resources/containerFiles.ts";
import { ContainerReady } from "../../resources/containerReady.ts";
import { PortLeases } from "../../resources/portLeases.ts";
import { StackFolder } from "../../resources/stackFolder.ts";
import { VolumeIdentity } from "../../resources/volumeIdentity.ts";
import { filesOf, probeAt } from "../inputs.ts";
import type { Address, Parent, Platform, Service, TlsCertificate, Volume } from "../platform.ts";
import type { Program, ServiceSpec } from "../spec.ts";
import { containerArgs } from "./container.ts";
import { imageOf, imageReference, pinnedImages, type ImageName } from "./images.ts";
import { configFolder, launchOf, scratchFolder } from "./launch.ts";
import { containerPort, DockerNames, subnetOf, type Subnet } from "./names.ts";

export interface DockerPlatformArgs {
  readonly stack: string;
  readonly stackId: string;
  /** The workload's: containers are called after it. */
  readonly title: string;
  /** Every port of the stack by name, on this machine; leased before anything else is made. */
  readonly ports: Readonly<Record<string, number>>;
  /** Address of this machine that ports are published on: loopback. */
  readonly host: string;
  /** Images in place of the pinned ones. */
  readonly images: Readonly<Partial<Record<ImageName, string>>>;
  /** Of the stack's own network; default by the stack. */
  readonly subnet?: string | undefined;
  /** The engine's, such as 1.41; undefined where there was none to ask. */
  readonly apiVersion: number | undefined;
}

/** Services as containers of this machine's Docker engine, in a network of their own, published on loopback only. */
export class DockerPlatform extends ComponentResource implements Platform {
  readonly kind = "docker";
  readonly #args: DockerPlatformArgs;
  readonly #layout: StackLayout;
  readonly #names: DockerNames;
  readonly #subnet: Subnet;
  readonly #leases: PortLeases;
  readonly #folder: StackFolder;
  readonly #network: Network;
  readonly #images = new Map<ImageName, RemoteImage>();

  constructor(name: string, args: DockerPlatformArgs, opts?: ComponentResourceOptions) {
    super("understudy:platform:Docker", name, {}, opts);
    const { stack, stackId, title, ports, subnet } = args;
    this.#args = args;
    this.#layout = layoutOf(stackId);
    this.#names = new DockerNames(title, stack);
    this.#subnet = subnetOf(stackId, subnet);
    this.#leases = new PortLeases("ports", { stackId, ports }, { parent: this });
    this.#folder = new StackFolder("folder", { stackId }, { parent: this, dependsOn: [this.#leases] });
    this.#network = new Network(
      "network",
      {
        name: this.#names.network,
        driver: "bridge",
        labels: this.#labels(),
        ipamConfigs: [{ subnet: this.#subnet.cidr, ipRange: this.#subnet.dynamicRange, gateway: this.#subnet.gateway }],
        // Where a port would be published without an address: on loopback all the same.
        options: { "com.docker.network.bridge.host_binding_ipv4": args.host },
      },
      { parent: this, dependsOn: [this.#leases], deleteBeforeReplace: true },
    );
    this.registerOutputs({ stackId });
  }

  hostOf(_service: string): string {
    return this.#args.host;
  }

  addressOf(service: string, port: number): Address {
    return { host: this.#names.host(service), port: containerPort(service, port) };
  }

  listenAddress(service: string, port: number): Address {
    return { host: "0.0.0.0", port: containerPort(service, port) };
  }

  listenHosts(): readonly string[] {
    return existsSync("/proc/net/if_inet6") ? ["0.0.0.0", "[::]"] : ["0.0.0.0"];
  }

  configFolder(_service: string): string {
    return configFolder;
  }

  scratchFolder(_service: string): string {
    return scratchFolder;
  }

  dataFolder(_volume: string): string {
    return pinnedImages.node.data ?? scratchFolder;
  }

  secret(name: string, options: Parent): Output<string> {
    return secret(new RandomPassword(name, { length: 32, special: false }, this.#after(options)).result);
  }

  certificate(name: string, options: Parent): TlsCertificate {
    const resource = new Certificate(name, { days: 365, revision: 1 }, this.#after(options));
    return { resource, certificatePem: resource.certificatePem, keyPem: resource.keyPem, notAfter: resource.notAfter };
  }

  volume(name: string, _usedBy: Program["kind"], options: Parent): Volume {
    const called = this.#names.volume(name);
    const volume = new DockerVolume(`${name}-data`, { name: called, labels: this.#labels(name) }, { ...this.#after(options), deleteBeforeReplace: true });
    const identity = new VolumeIdentity(`${name}-data-id`, { volume: volume.name }, { parent: options.parent, dependsOn: [volume] });
    return { resource: volume, name: called, id: identity.volumeId };
  }

  service(spec: ServiceSpec, options: Parent & { readonly volume?: Volume }): Service {
    const { host, stackId, apiVersion } = this.#args;
    const image = imageOf(spec.program);
    const { user } = pinnedImages[image];
    const launch = launchOf(spec, { port: containerPort(spec.name, spec.ports.main) });
    const container = this.#names.container(spec.name);
    const declared = [...(spec.files ?? []), ...(launch.files ?? [])];
    const [plainFiles, secretFiles] = [filesOf(declared, false), filesOf(declared, true)];
    const trees = (spec.trees ?? []).map(({ from, to }) => ({ from, to, hash: folderHash(from) }));
    const files = new ContainerFiles(
      `${spec.name}-files`,
      {
        stackId,
        name: spec.name,
        user,
        files: plainFiles,
        secretFiles: secret(secretFiles),
        trees,
        ...(launch.bundle === undefined ? {} : { bundle: launch.bundle }),
      },
      // As soon as they are known: bundling an app takes a second, and nobody reads them yet.
      { parent: options.parent, dependsOn: [this.#folder] },
    );
    // Of the inputs, so that a preview knows which containers are replaced.
    const filesHash = unsecret(
      all([plainFiles, secretFiles]).apply(([plain, hidden]) => hashOfFiles([...plain, ...hidden], [...trees.map(({ to, hash }) => `${to} ${hash}`), launch.bundle?.sourceHash ?? ""])),
    );
    const { volume } = options;
    const made = new Container(
      spec.name,
      containerArgs({
        spec,
        launch,
        name: container,
        hostname: this.#names.host(spec.name),
        image: this.#image(image).imageId,
        imageName: image,
        publishedOn: host,
        network: this.#network.name,
        address: this.#subnet.addressOf(spec.name),
        labels: filesHash.apply((hash) => [...this.#labels(spec.name), { label: dockerLabels.files, value: hash }]),
        filesFolder: this.#layout.config(spec.name),
        volume: volume === undefined ? undefined : volume.name,
        apiVersion,
      }),
      { ...this.#after(options, files, ...(volume === undefined ? [] : [volume.resource])), deleteBeforeReplace: true },
    );
    const ready = new ContainerReady(
      `${spec.name}-ready`,
      { name: spec.name, container, containerId: made.id, probe: secret(probeAt(spec.probe, host, spec.ports.main)), health: { ...spec.health } },
      this.#after(options, made),
    );
    return { name: spec.name, resource: ready, host, port: spec.ports.main, container, fingerprint: ready.fingerprint };
  }

  /** One for all services that use it, and pulled only where it is missing. */
  #image(name: ImageName): RemoteImage {
    const known = this.#images.get(name);
    if (known !== undefined) return known;
    const image = new RemoteImage(`${name}-image`, { name: imageReference(name, this.#args.images), keepLocally: true }, { parent: this });
    this.#images.set(name, image);
    return image;
  }

  #labels(service?: string): { label: string; value: string }[] {
    const { stack, stackId } = this.#args;
    return [
      { label: dockerLabels.stackId, value: stackId },
      { label: dockerLabels.stack, value: stack },
      ...(service === undefined ? [] : [{ label: dockerLabels.service, value: service }]),
    ];
  }

  #after(options: Parent, ...first: Resource[]): { parent: Resource; dependsOn: Resource[] } {
    return { parent: options.parent, dependsOn: [this.#leases, ...first, ...(options.dependsOn ?? [])] };
  }
}
