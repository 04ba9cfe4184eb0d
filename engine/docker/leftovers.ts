import { z } from "zod";
import { exitCode, UnderstudyError } from "../errors.ts";
import { askEngine, dockerLabels } from "./api.ts";

const containers = z.array(z.object({ Names: z.array(z.string()), State: z.string() }));
const networks = z.array(z.object({ Name: z.string() }));
const volumes = z.object({ Volumes: z.array(z.object({ Name: z.string() })).nullable() });

/**
 * Whatever of a stack is still in the Docker engine, a line each: containers, networks, volumes. Images stay: others use them.
 * @throws UnderstudyError (exit 3) when the engine does not answer: then nobody knows.
 */
export async function dockerLeftovers(stackId: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${dockerLabels.stackId}=${stackId}`] }));
  const [containersLeft, networksLeft, volumesLeft] = await Promise.all([
    list(`/containers/json?all=1&filters=${filters}`, containers),
    list(`/networks?filters=${filters}`, networks),
    list(`/volumes?filters=${filters}`, volumes),
  ]);
  return [
    ...containersLeft.map(({ Names, State }) => `container ${(Names[0] ?? "").slice(1)} (${State})`),
    ...networksLeft.map(({ Name }) => `network ${Name}`),
    ...(volumesLeft.Volumes ?? []).map(({ Name }) => `volume ${Name}`),
  ];
}

/** Stacks that have a running container in this machine's engine; none where there is no engine. */
export async function stacksOnDocker(): Promise<ReadonlySet<string>> {
  const filters = encodeURIComponent(JSON.stringify({ label: [dockerLabels.stackId], status: ["running", "restarting"] }));
  const labelled = z.array(z.object({ Labels: z.record(z.string(), z.string()) }));
  const found = await list(`/containers/json?filters=${filters}`, labelled).catch(() => []);
  return new Set(found.flatMap(({ Labels }) => Labels[dockerLabels.stackId] ?? []));
}

async function list<Shape extends z.ZodType>(path: string, shape: Shape): Promise<z.infer<Shape>> {
  const { status, body } = await askEngine(path);
  if (status !== 200) {
    throw new UnderstudyError(`The Docker engine refused ${path.split("?")[0]}: ${status} ${body.toString().slice(0, 300).trim()}`, { exitCode: exitCode.provisioning });
  }
  return shape.parse(JSON.parse(body.toString()));
}
