import type { Input } from "@pulumi/pulumi";

/** How often and how patiently a service is probed; defaults from document 004. */
export interface HealthTiming {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
}

/** The probe of a service. A platform fills in the address it gave the service. */
export type HealthProbe =
  | {
      readonly kind: "postgres";
      readonly database: string;
      readonly user: string;
      readonly password: Input<string>;
      /** It must follow a primary, at most so far behind, and refuse writes. */
      readonly standby?: { readonly maxLagBytes: number };
    }
  | { readonly kind: "redis"; readonly password: Input<string>; /** A node of a cluster that may not be made yet. */ readonly clusterNode?: boolean }
  | { readonly kind: "http"; readonly path: string; readonly tls?: boolean; readonly expectStatus?: number; readonly expectJson?: Readonly<Record<string, string>> }
  | { readonly kind: "prometheus-targets"; readonly jobs: readonly string[] };

export interface ConfigFile {
  /** Relative to the service's configuration folder. */
  readonly path: string;
  readonly content: Input<string>;
  /** Kept encrypted in state and out of diffs. Default false. */
  readonly secret?: boolean;
}

/** A folder of the checkout that a service reads. */
export interface ConfigTree {
  /** Absolute. */
  readonly from: string;
  /** Relative to the service's configuration folder. */
  readonly to: string;
}

export type ExporterKind = "node" | "postgres" | "redis" | "nginx";

/** The server that a read replica follows. */
export interface StandbyOf {
  readonly host: string;
  readonly port: number;
  /** The role that streams. */
  readonly user: string;
  readonly password: Input<string>;
  /** Slot of the primary that keeps the log for this replica. */
  readonly slot: string;
  /** Names what the replica is copied from; with another one it is copied again. */
  readonly base: Input<string>;
}

/** What runs: a program that every platform knows how to provide. */
export type Program =
  | {
      readonly kind: "postgres";
      readonly adminUser: string;
      readonly adminPassword: Input<string>;
      readonly settings: Readonly<Record<string, string>>;
      /** A read replica: copied from there in place of a cluster of its own, whose roles and passwords it shares. */
      readonly standbyOf?: StandbyOf;
    }
  | { readonly kind: "redis"; readonly configFile: string }
  | { readonly kind: "pgbouncer"; readonly configFile: string }
  | { readonly kind: "node-app"; /** Absolute TypeScript entry, bundled before it runs. */ readonly entry: string }
  | { readonly kind: "command"; readonly command: readonly string[]; readonly workingFolder: string }
  | { readonly kind: "nginx"; readonly configFile: string }
  | { readonly kind: "prometheus"; readonly configFile: string; readonly retention: string }
  | { readonly kind: "alertmanager"; readonly configFile: string }
  | { readonly kind: "grafana"; readonly configFile: string }
  | { readonly kind: "pgadmin"; /** The servers that it knows, as JSON. */ readonly serversFile: string }
  | { readonly kind: "exporter"; readonly exporter: ExporterKind; readonly arguments: readonly string[] };

/** How the lines that a service prints are kept. */
export interface LogPolicy {
  /** Whether each line gets a time stamp in front; false where the program writes its own. Default true. */
  readonly timestamps?: boolean;
  /** Lines that match (POSIX extended) are kept apart, in a log of that name. */
  readonly routes?: readonly { readonly name: string; readonly pattern: string }[];
}

/** A file that keeps a proxy from sending anything new to an instance, for as long as it is there. */
export interface DrainFlag {
  /** The proxy. */
  readonly service: string;
  /** Relative to its configuration folder. */
  readonly path: string;
}

/** One service, described without naming a platform. */
export interface ServiceSpec {
  readonly name: string;
  readonly program: Program;
  /** By purpose; `main` is the one that is probed. */
  readonly ports: Readonly<Record<string, number>> & { readonly main: number };
  readonly environment?: Readonly<Record<string, Input<string>>>;
  readonly files?: readonly ConfigFile[];
  readonly trees?: readonly ConfigTree[];
  /** Name of the volume with what must survive a restart. */
  readonly volume?: string;
  readonly logs?: LogPolicy;
  /** How it is taken out of use while it restarts, so that no request fails. */
  readonly drain?: DrainFlag;
  readonly probe: HealthProbe;
  readonly health: HealthTiming;
}
