import { runtime } from "@pulumi/pulumi";

/** A resource as the program registered it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

/** Secrets as the values that they hide. */
function plain(value: unknown): unknown {
  if (runtime.isRpcSecret(value)) return plain(runtime.unwrapRpcSecret(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** What dynamic resources would put out; enough for everything downstream to be known. */
function outputsOf({ type, name, inputs }: Registered): Record<string, unknown> {
  const kind = type.split(":").at(-1) ?? type;
  const made: Readonly<Record<string, Record<string, unknown>>> = {
    Secret: { value: `secret-of-${name}` },
    Certificate: { certificatePem: "CERTIFICATE", keyPem: "KEY", notAfter: "2027-11-21T00:00:00.000Z" },
    Volume: { volumeId: `volume-of-${name}` },
    Service: { running: true, fingerprint: `fingerprint-of-${name}` },
    StagingSetup: { systemIdentifier: "1" },
    Replication: { base: `base-of-${name}` },
    CacheCluster: { whole: true },
    SampleSource: { reader: { host: "127.0.0.1", port: 1, database: "production_sample", user: "production_reader", password: "reader" }, sizeBytes: 1 },
    Backup: { file: "/backup.sql.gz", sha256: "0" },
    DataCopy: { copyId: "copy-1", reportJson: "/c.json", reportHtml: "/c.html" },
    MigrationTest: { reportJson: "/m.json", reportHtml: "/m.html" },
    RandomPassword: { result: `secret-of-${name}` },
    RemoteImage: { imageId: `sha256:image-of-${name}` },
    ContainerFiles: { present: true },
    ContainerReady: { ready: true, fingerprint: `fingerprint-of-${name}` },
    VolumeIdentity: { volumeId: `volume-of-${name}` },
    Validation: { reportJson: "/v.json", reportHtml: "/v.html" },
  };
  return { ...inputs, ...made[kind] };
}

export interface ProgramRun {
  readonly resources: readonly Registered[];
  readonly outputs: Record<string, unknown>;
  /** The one resource of that name and kind. @throws when there is none, or more than one. */
  resource(kind: string, name: string): Registered;
}

/** Runs the real program against mocks and gives what it registered. */
export async function runProgram(config: Readonly<Record<string, unknown>> = {}, stack = "local"): Promise<ProgramRun> {
  const resources: Registered[] = [];
  await runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const { __provider: _, ...own } = inputs as Record<string, unknown>;
        const registered = { type, name, inputs: plain(own) as Record<string, unknown> };
        resources.push(registered);
        return { id: `${name}-id`, state: outputsOf(registered) };
      },
      call: () => ({}),
    },
    "understudy",
    stack,
    false,
  );
  runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`understudy:${key}`, typeof value === "string" ? value : JSON.stringify(value)])),
  );
  const { default: program } = await import("../../index.ts");
  const outputs = await program();
  await runtime.disconnect();
  return {
    resources,
    outputs,
    resource: (kind, name) => {
      const found = resources.filter((one) => one.type.split(":").at(-1) === kind && one.name === name);
      const [only] = found;
      if (only === undefined || found.length > 1) throw new Error(`${found.length} resources ${kind} ${name}`);
      return only;
    },
  };
}
