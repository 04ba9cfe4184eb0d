import type { Output, Resource } from "@pulumi/pulumi";
import type { Program, ServiceSpec } from "./spec.ts";

/** A deployed service, as other components see it. */
export interface Service {
  readonly name: string;
  /** For `dependsOn`. */
  readonly resource: Resource;
  readonly host: string;
  readonly port: number;
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
  /** Where services of this platform find each other. */
  hostOf(service: string): string;
  /** What a service listens on that people reach: `127.0.0.1`, and `[::1]` where the machine has it. */
  loopbackAddresses(): readonly string[];
  /** The absolute path at which a service finds its own configuration folder. */
  configFolder(service: string): string;
  /** The absolute path at which a service finds its volume of that name. */
  dataFolder(volume: string): string;
  /** A random secret, made once for the stack. */
  secret(name: string, options: Parent): Output<string>;
  certificate(name: string, options: Parent): TlsCertificate;
  volume(name: string, usedBy: Program["kind"], options: Parent): Volume;
  service(spec: ServiceSpec, options: Parent & { readonly volume?: Volume }): Service;
}

