import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkPolicy } from "../../../engine/copy/policyCheck.ts";
import type { MaskingPolicy } from "../../../engine/masking/policy.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import { operations } from "../../../resources/operations/dataCopy.ts";
import { fillWithStories, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { freePort } from "../../support/ports.ts";

let world: CopyWorld;

beforeAll(async () => {
  world = await startCopyWorld(fillWithStories(20));
});
afterAll(() => world.stop());

describe.sequential("what a preview asks of the source", () => {
  test("a policy that names every column passes; the engine's own check says so too", async () => {
    expect(await checkPolicy(await world.options())).toBeUndefined();
    const { source } = await world.options();
    const inputs = { source, workloadFolder: (await loadWorkload("workloads/stories")).folder };
    expect(await operations.check({}, inputs)).toEqual({ inputs, failures: [] });
  });

  test("a column that production has got since stops it, and the message says how to go on", async () => {
    await world.askSource(`ALTER TABLE "User" ADD COLUMN nickname text`);
    const { source } = await world.options();
    const error = await Promise.resolve(operations.check({}, { source, workloadFolder: (await loadWorkload("workloads/stories")).folder })).catch((thrown: unknown) => thrown);
    await world.askSource(`ALTER TABLE "User" DROP COLUMN nickname`);
    expect(error).toMatchObject({ message: expect.stringMatching(/Nothing was copied: 1 column.*User\.nickname: no rule.*understudy copy classify --missing.*\(exit 4\)$/) });
  });

  test("so does a rule for what is not there, and a source whose role may not read", async () => {
    const masking = parse(await readFile("workloads/stories/copy/masking.yaml", "utf8")) as MaskingPolicy;
    masking.tables["Ghost"] = { leaveOut: true };
    await expect(checkPolicy(await world.options({ masking }))).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining("Ghost: a rule for a table that does not exist") });
    await world.askSource(`REVOKE SELECT ON "Order" FROM reader`);
    const error = await checkPolicy(await world.options()).catch((thrown: unknown) => thrown);
    await world.askSource(`GRANT SELECT ON "Order" TO reader`);
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining("no SELECT on table Order") });
  });

  test("a source that is not made yet, or not to be reached from here, is the copy's to judge", async () => {
    const { source, workload } = await world.options();
    expect(await checkPolicy({ workload, source: { ...source, port: await freePort() } })).toContain("Cannot open the source");
    const unknown = { source: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", workloadFolder: workload.folder };
    expect(await operations.check({}, unknown)).toEqual({ inputs: unknown, failures: [] });
  });
});
