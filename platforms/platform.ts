import type { Output, Resource } from "@pulumi/pulumi";
import type { Program, ServiceSpec } from "./spec.ts";

/** An address of TCP. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A deployed service, as this machine sees it. */
export interface Service extends Address {
  readonly name: string;
  /** For `dependsOn`. */
  readonly resource: Resource;
  /** What it is called where it runs in a container. */
  readonly container?: string;
  /** Changes whenever what runs changes. */
  readonly fingerprint: Output<string>;
}

export interface Volume {
  readonly resource: Resource;
  readonly name: string;
  /** Changes when the volume is made anew, and with it everything that was in it. */
  readonly id: Output<string>;
}

export interface TlsCertificate {
  readonly resource: Resource;
  readonly certificatePem: Output<string>;
  readonly keyPem: Output<string>;
  /** ISO 8601. */
  readonly notAfter: Output<string>;
}

export interface Parent {
  readonly parent: Resource;
  readonly dependsOn?: readonly Resource[];
}

/** Turns platform-neutral descriptions into resources. Components know this and nothing behind it. */
export interface Platform {
  readonly kind: "process" | "docker" | "kubernetes";
  /** Where this machine reaches a service, on the port that the configuration gives it: always loopback. */
  hostOf(service: string): string;
  /** Where the other services of the stack reach it. */
  addressOf(service: string, port: number): Address;
  /** What the service itself listens on. */
  listenAddress(service: string, port: number): Address;
  /** Every host that a service listens on which people reach: on this machine `127.0.0.1`, and `[::1]` where it is there. */
  listenHosts(): readonly string[];
  /** The absolute path at which a service finds its own configuration folder. */
  configFolder(service: string): string;
  /** An absolute path where a service may write what needs not survive a restart. */
  scratchFolder(service: string): string;
  /** The absolute path at which a service finds its volume of that name. */
  dataFolder(volume: string): string;
  /** A random secret, made once for the stack. */
  secret(name: string, options: Parent): Output<string>;
  certificate(name: string, options: Parent): TlsCertificate;
  volume(name: string, usedBy: Program["kind"], options: Parent): Volume;
  service(spec: ServiceSpec, options: Parent & { readonly volume?: Volume }): Service;
}

