import { randomUUID } from "node:crypto";
import { chmod, chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accountFor } from "../../engine/process/account.ts";
import { layoutOf } from "../../engine/process/layout.ts";
import { operationsOf } from "../operations.ts";

export interface VolumeInputs {
  readonly stackId: string;
  readonly name: string;
  /** Accounts that may own it, the first that exists. */
  readonly accounts: readonly string[];
}

export interface VolumeOutputs {
  /** Another one for every volume ever made: what was loaded into the old one is not in this. */
  readonly volumeId: string;
}

const idFile = ".volume-id";

export const operations = operationsOf<VolumeInputs, VolumeOutputs>({
  replaceOn: ["stackId", "name", "accounts"],
  updateOn: [],
  async create({ stackId, name, accounts }) {
    const folder = layoutOf(stackId).data(name);
    const account = await accountFor(accounts);
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o700);
    const known = await readFile(join(folder, idFile), "utf8").catch(() => undefined);
    const volumeId = known ?? randomUUID();
    if (known === undefined) await writeFile(join(folder, idFile), volumeId, { mode: 0o600 });
    if (account !== undefined) await chown(folder, account.uid, account.gid);
    return { id: `${stackId}/${name}`, outputs: { volumeId } };
  },
  async read(_id, { stackId, name }) {
    const volumeId = await readFile(join(layoutOf(stackId).data(name), idFile), "utf8").catch(() => undefined);
    return volumeId === undefined ? undefined : { volumeId };
  },
  async delete(_id, { stackId, name }) {
    await rm(layoutOf(stackId).data(name), { recursive: true, force: true });
  },
});
