import { all, output, type Output } from "@pulumi/pulumi";
import type { HealthSpec } from "../engine/health/index.ts";
import type { ServiceFile } from "../engine/process/service.ts";
import type { ConfigFile, HealthProbe } from "./spec.ts";

/** Files with secrets in them, or those without. */
export function filesOf(files: readonly ConfigFile[] = [], wanted: boolean): Output<ServiceFile[]> {
  const chosen = files.filter((file) => (file.secret ?? false) === wanted);
  return all(chosen.map((file) => output(file.content).apply((content) => ({ path: file.path, content }))));
}

/** Fills in the address at which this machine reaches the service. */
export function probeAt(probe: HealthProbe, host: string, port: number): Output<HealthSpec> {
  switch (probe.kind) {
    case "postgres": {
      const { database, user, standby } = probe;
      return output(probe.password).apply(
        (password): HealthSpec => ({ kind: "postgres", connection: { host, port, database, user, password }, ...(standby === undefined ? {} : { standby }) }),
      );
    }
    case "redis":
      return output(probe.password).apply((password): HealthSpec => ({ kind: "redis", host, port, password, ...(probe.clusterNode === true ? { clusterNode: true } : {}) }));
    case "http": {
      const { path, tls = false, expectStatus, expectJson } = probe;
      return output<HealthSpec>({
        kind: "http",
        url: `${tls ? "https" : "http"}://${host}:${port}${path}`,
        ...(tls ? { insecureTls: true } : {}),
        ...(expectStatus === undefined ? {} : { expectStatus }),
        ...(expectJson === undefined ? {} : { expectJson }),
      });
    }
    case "prometheus-targets":
      return output<HealthSpec>({ kind: "prometheus-targets", url: `http://${host}:${port}`, jobs: [...probe.jobs] });
  }
}

