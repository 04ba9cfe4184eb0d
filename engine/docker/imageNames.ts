/** What an image is for. Each can be replaced in the configuration: `images.postgres`. */
export const imageNames = [
  "postgres",
  "redis",
  "node",
  "nginx",
  "pgbouncer",
  "prometheus",
  "alertmanager",
  "grafana",
  "pgadmin",
  "nodeExporter",
  "postgresExporter",
  "redisExporter",
  "nginxExporter",
] as const;
export type ImageName = (typeof imageNames)[number];
