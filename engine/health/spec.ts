import type { ConnectionSettings } from "../postgres/connection.ts";

/** TCP login and `SELECT 1`. Never the Unix socket, which answers for a server that is still being made. */
export interface PostgresHealth {
  readonly kind: "postgres";
  readonly connection: ConnectionSettings;
  /** It must follow a primary, at most so far behind, and refuse writes. */
  readonly standby?: { readonly maxLagBytes: number };
}

/** Sign-in, then a key written, read back and deleted. */
export interface RedisHealth {
  readonly kind: "redis";
  /** `redis://` or `rediss://`; in place of host, port and password. */
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly password?: string;
  /** A node of a cluster, which may hold no slots yet: it answers, and is one. The cluster itself is another's to look at. */
  readonly clusterNode?: boolean;
}

/** A GET, through TLS for `https:`. */
export interface HttpHealth {
  readonly kind: "http";
  readonly url: string;
  /** Default 200. */
  readonly expectStatus?: number;
  /** Certificate authorities in PEM that the server's certificate must chain to; default the system's. */
  readonly ca?: string;
  /** Takes any certificate; default false. */
  readonly insecureTls?: boolean;
  /** Fields that the JSON body must hold, by dotted path: `{ "status": "healthy", "checks.database": "up" }`. */
  readonly expectJson?: Readonly<Record<string, string | number | boolean | null>>;
}

/** Somebody accepts connections; says nothing about whether it works. */
export interface TcpHealth {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
}

/** Every target of these jobs was scraped and is up; a job without a target fails. */
export interface PrometheusTargetsHealth {
  readonly kind: "prometheus-targets";
  /** Of Prometheus itself, e.g. `http://127.0.0.1:9091`. */
  readonly url: string;
  readonly jobs: readonly string[];
}

/** What "healthy" means for one service. Plain data, so that it can be stored as a resource's input. */
export type HealthSpec = PostgresHealth | RedisHealth | HttpHealth | TcpHealth | PrometheusTargetsHealth;
