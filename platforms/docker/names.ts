import { createHash } from "node:crypto";

/** What document 004 calls a service: in a container's name, and as a name in the network and of a volume. */
const documentNames: Readonly<Record<string, { readonly container: string; readonly host: string }>> = {
  database: { container: "db", host: "postgres" },
  cache: { container: "redis", host: "redis" },
  proxy: { container: "nginx", host: "nginx" },
};

/** Ports inside a container where they are not those outside, as document 004 has them. */
const documentPorts: Readonly<Record<string, number>> = { database: 5432, source: 5432, "database-replica": 5432, "database-pool": 5432, cache: 6379, app: 3000 };

const numbered = /-(\d+)$/;
const kindOf = (service: string): string => service.replace(numbered, "");

/** Names of everything that one stack has in a Docker engine. */
export class DockerNames {
  readonly #prefix: string;
  readonly #stack: string;

  /** @param title of the workload: "1001 Stories" becomes `1001-stories`. */
  constructor(title: string, stack: string) {
    this.#prefix = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");
    this.#stack = stack;
  }

  /** `1001-stories-db-staging`. */
  container(service: string): string {
    const number = numbered.exec(service)?.[0] ?? "";
    return `${this.#prefix}-${documentNames[kindOf(service)]?.container ?? kindOf(service)}${number}-${this.#stack}`;
  }

  /** `postgres-staging`. */
  host(service: string): string {
    const number = numbered.exec(service)?.[0] ?? "";
    return `${documentNames[kindOf(service)]?.host ?? kindOf(service)}${number}-${this.#stack}`;
  }

  /** `postgres_staging_data`. */
  volume(service: string): string {
    return `${this.host(service).replaceAll("-", "_")}_data`;
  }

  /** `1001-stories-staging`. */
  get network(): string {
    return `${this.#prefix}-${this.#stack}`;
  }
}

/** The port that a service listens on in its container. */
export function containerPort(service: string, publicPort: number): number {
  return documentPorts[kindOf(service)] ?? publicPort;
}

/** Services that others know by an address for as long as they run: nginx looks its instances up only when it starts. */
const fixedAddresses: Readonly<Record<string, number>> = { app: 11, "app-2": 12, "app-3": 13, "app-4": 14, "app-5": 15, cache: 21, "cache-2": 22, "cache-3": 23 };

/** The network's addresses: the lower half for those that are fixed, the upper for all others. */
export interface Subnet {
  readonly cidr: string;
  readonly dynamicRange: string;
  readonly gateway: string;
  addressOf(service: string): string | undefined;
}

/** `10.100.0.0/24` to `10.199.255.0/24`, by the stack, unless the configuration names one. */
export function subnetOf(stackId: string, own?: string): Subnet {
  const [first = 0, second = 0] = createHash("sha256").update(stackId).digest();
  const base = own?.replace(/\.0\/24$/, "") ?? `10.${100 + (first % 100)}.${second}`;
  return {
    cidr: `${base}.0/24`,
    dynamicRange: `${base}.128/25`,
    gateway: `${base}.1`,
    addressOf: (service) => (fixedAddresses[service] === undefined ? undefined : `${base}.${fixedAddresses[service]}`),
  };
}
