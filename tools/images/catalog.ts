import type { ImageName } from "../../engine/docker/imageNames.ts";

/** How an image is made of Debian's packages so that it stands in for the pinned one: same programs, same account, same folders. */
export interface DebianImage {
  readonly packages: readonly string[];
  /** Account with the pinned image's numbers, made before the packages are: theirs then takes it. Default nobody. */
  readonly account?: { readonly name: string; readonly uid: number; readonly gid: number };
  /** Folder that the account owns, made for its volume. */
  readonly data?: string;
  /** Names that the pinned image has for a program, and Debian's. */
  readonly links?: Readonly<Record<string, string>>;
  /** Folders in front of PATH. */
  readonly path?: readonly string[];
  /** The Node that this project runs on, at /usr/local/bin/node: Debian's is older. */
  readonly ownNode?: boolean;
}

/** What can be made of Debian 12's packages. */
export const debianImages: Readonly<Partial<Record<ImageName, DebianImage>>> = {
  postgres: {
    packages: ["postgresql-15"],
    account: { name: "postgres", uid: 70, gid: 70 },
    data: "/var/lib/postgresql/data",
    path: ["/usr/lib/postgresql/15/bin"],
  },
  redis: { packages: ["redis-server", "redis-tools"], account: { name: "redis", uid: 999, gid: 1000 }, data: "/data" },
  // Document 004 looks into the app's container with top and netstat.
  node: { packages: ["procps", "net-tools"], account: { name: "node", uid: 1000, gid: 1000 }, data: "/home/node", ownNode: true },
  nginx: { packages: ["nginx-light"], account: { name: "nginx", uid: 101, gid: 101 } },
  pgbouncer: { packages: ["pgbouncer", "postgresql-client-15"], account: { name: "postgres", uid: 70, gid: 70 }, path: ["/usr/lib/postgresql/15/bin"] },
  prometheus: { packages: ["prometheus"], data: "/prometheus" },
  alertmanager: { packages: ["prometheus-alertmanager"], data: "/alertmanager", links: { "/bin/alertmanager": "/usr/bin/prometheus-alertmanager" } },
  nodeExporter: { packages: ["prometheus-node-exporter"], links: { "/bin/node_exporter": "/usr/bin/prometheus-node-exporter" } },
  postgresExporter: { packages: ["prometheus-postgres-exporter"], links: { "/bin/postgres_exporter": "/usr/bin/prometheus-postgres-exporter" } },
  redisExporter: { packages: ["prometheus-redis-exporter"], account: { name: "exporter", uid: 59_000, gid: 59_000 }, links: { "/redis_exporter": "/usr/bin/prometheus-redis-exporter" } },
  nginxExporter: {
    packages: ["prometheus-nginx-exporter"],
    account: { name: "nginx", uid: 101, gid: 101 },
    links: { "/usr/bin/nginx-prometheus-exporter": "/usr/bin/prometheus-nginx-exporter" },
  },
};

/** What is in no package of Debian's, and how a stack does without. */
export const notInDebian: Readonly<Partial<Record<ImageName, string>>> = {
  grafana: "leave it out with --set monitoring.grafana=false",
  pgadmin: "leave it out with --set admin.enabled=false",
};

/** `understudy/postgres-exporter:bookworm`. */
export function builtTag(name: ImageName): string {
  return `understudy/${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}:bookworm`;
}

export const baseTag = "understudy/base:bookworm";

/** Renders the Dockerfile of an image; nothing in it is fetched but Debian's packages. */
export function renderDockerfile(image: DebianImage): string {
  const { packages, account, data, links = {}, path = [], ownNode = false } = image;
  const { uid, gid } = account ?? { uid: 65_534, gid: 65_534 };
  const steps = [
    ...(account === undefined ? [] : [`groupadd --gid ${gid} ${account.name}`, `useradd --uid ${uid} --gid ${gid} --home-dir ${data ?? "/nonexistent"} --no-create-home --shell /usr/sbin/nologin ${account.name}`]),
    `apt-get install --yes --no-install-recommends wget ${packages.join(" ")}`,
    "rm -rf /var/cache/apt/archives/*.deb",
    ...Object.entries(links).map(([link, program]) => `ln -s ${program} ${link}`),
    ...(data === undefined ? [] : [`mkdir -p ${data}`, `chown ${uid}:${gid} ${data}`, `chmod 0700 ${data}`]),
  ];
  return [
    `FROM ${baseTag}`,
    "ENV DEBIAN_FRONTEND=noninteractive",
    `RUN ${steps.join(" \\\n && ")}`,
    ...(ownNode ? ["COPY node /usr/local/bin/node"] : []),
    ...(path.length === 0 ? [] : [`ENV PATH=${path.join(":")}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`]),
    `USER ${uid}:${gid}`,
    "",
  ].join("\n");
}
