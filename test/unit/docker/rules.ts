import type { Registered } from "../../support/program.ts";

/** The parts of a container's inputs that the rules look at, as the provider gets them. */
export interface ContainerInputs {
  readonly name?: string;
  readonly image?: string;
  readonly user?: string;
  readonly readOnly?: boolean;
  readonly privileged?: boolean;
  readonly publishAllPorts?: boolean;
  readonly networkMode?: string;
  readonly pidMode?: string;
  readonly tmpfs?: Readonly<Record<string, string>>;
  readonly securityOpts?: readonly string[];
  readonly capabilities?: { readonly drops?: readonly string[]; readonly adds?: readonly string[] };
  readonly memory?: number;
  readonly memorySwap?: number;
  readonly cpus?: string;
  readonly ports?: readonly { readonly internal: number; readonly external?: number; readonly ip?: string }[];
  readonly networksAdvanced?: readonly { readonly name: string; readonly aliases?: readonly string[]; readonly ipv4Address?: string }[];
  readonly volumes?: readonly { readonly hostPath?: string; readonly volumeName?: string; readonly containerPath: string; readonly readOnly?: boolean }[];
  readonly healthcheck?: { readonly tests: readonly string[]; readonly interval?: string; readonly timeout?: string; readonly retries?: number; readonly startPeriod?: string; readonly startInterval?: string };
  readonly wait?: boolean;
  readonly restart?: string;
  readonly mustRun?: boolean;
  readonly logDriver?: string;
  readonly logOpts?: Readonly<Record<string, string>>;
  readonly envs?: readonly string[];
  readonly entrypoints?: readonly string[];
  readonly command?: readonly string[];
  readonly labels?: readonly { readonly label: string; readonly value: string }[];
  readonly hostname?: string;
  readonly stopSignal?: string;
  readonly shmSize?: number;
  readonly uploads?: readonly unknown[];
}

/** What the mocks give out for passwords, keys and the environment that holds them. */
const secretText = /secret-of-|\bKEY\b/;

type Rule = (inputs: ContainerInputs) => boolean;

/** Only pgAdmin: it writes beside its program, and its Python carries a capability. */
const mayWrite = ({ name = "" }: ContainerInputs) => name.includes("-pgadmin-");

/** What holds for every container of a stack, whatever is in it. */
export const rules: Readonly<Record<string, Rule>> = {
  "every port is published on loopback": ({ ports = [] }) => ports.every(({ ip }) => ip === "127.0.0.1"),
  "a port is published": ({ ports = [] }) => ports.length > 0 && ports.every(({ external }) => external !== undefined),
  "not every port is published by itself": ({ publishAllPorts }) => publishAllPorts !== true,
  "in the stack's network and no other": ({ networkMode = "", networksAdvanced = [] }) =>
    networksAdvanced.length === 1 && networksAdvanced[0]?.name === networkMode && !/^(host|bridge|default|none|container:.*)$/.test(networkMode),
  "not in the machine's process space": ({ pidMode }) => pidMode === undefined,
  "unprivileged user": ({ user = "" }) => /^[1-9]\d*:\d+$/.test(user),
  "not privileged": ({ privileged }) => privileged !== true,
  "read-only root file system": (inputs) => inputs.readOnly === true || mayWrite(inputs),
  "/tmp in memory, nothing in it executed": ({ tmpfs = {} }) => /noexec/.test(tmpfs["/tmp"] ?? "") && /nosuid/.test(tmpfs["/tmp"] ?? "") && /size=\d+m/.test(tmpfs["/tmp"] ?? ""),
  "no new privileges": ({ securityOpts = [] }) => securityOpts.includes("no-new-privileges:true"),
  "every capability dropped": ({ capabilities }) => capabilities?.drops?.includes("ALL") === true,
  "no capability added": (inputs) => (inputs.capabilities?.adds ?? []).every((one) => one === "NET_BIND_SERVICE" && mayWrite(inputs)),
  "memory is limited": ({ memory = 0, memorySwap = -1 }) => memory > 0 && memory <= 1_024 && memorySwap === memory,
  "CPU is limited": ({ cpus = "" }) => /^\d+\.\d+$/.test(cpus) && Number(cpus) > 0,
  "a health check that asks the program": ({ healthcheck }) => healthcheck !== undefined && /^CMD(-SHELL)?$/.test(healthcheck.tests[0] ?? "") && healthcheck.tests.length > 1,
  "probed every 15 s, 10 s at most, 5 times, after 30 s": ({ healthcheck }) =>
    healthcheck?.interval === "15s" && healthcheck.timeout === "10s" && healthcheck.retries === 5 && healthcheck.startPeriod === "30s",
  "waited for, probed fast while it starts": ({ wait, healthcheck }) => wait === true && healthcheck?.startInterval === "1s",
  "started again when it ends": ({ restart, mustRun }) => restart === "unless-stopped" && mustRun === true,
  "logs are rotated": ({ logDriver, logOpts = {} }) => logDriver === "json-file" && /^\d+m$/.test(logOpts["max-size"] ?? "") && Number(logOpts["max-file"]) >= 2,
  "the image is the engine's own name for it": ({ image = "" }) => image.startsWith("sha256:"),
  "no secret in the environment": ({ envs = [] }) => !secretText.test(envs.join("\n")),
  "no secret in an argument": ({ entrypoints = [], command = [], healthcheck }) => !secretText.test([...entrypoints, ...command, ...(healthcheck?.tests ?? [])].join("\n")),
  "nothing of this machine is mounted to be written": ({ volumes = [] }) => volumes.every(({ hostPath, readOnly }) => hostPath === undefined || readOnly === true),
  "the engine's socket is not mounted": ({ volumes = [] }) => volumes.every(({ hostPath = "" }) => !/docker\.sock|^\/(proc|sys|dev|etc|root)?$/.test(hostPath)),
  "nothing is uploaded, which a read-only container refuses": ({ uploads = [] }) => uploads.length === 0,
  "labelled as this stack's": ({ labels = [] }) =>
    ["understudy.stack-id", "understudy.stack", "understudy.service", "understudy.files"].every((wanted) => labels.some(({ label, value }) => label === wanted && value !== "")),
};

/** The rules that a container breaks. */
export function brokenRules(inputs: ContainerInputs): string[] {
  return Object.entries(rules).flatMap(([name, holds]) => (holds(inputs) ? [] : [name]));
}

export function containersOf(resources: readonly Registered[]): { name: string; inputs: ContainerInputs }[] {
  return resources.filter(({ type }) => type === "docker:index/container:Container").map(({ name, inputs }) => ({ name, inputs }));
}
