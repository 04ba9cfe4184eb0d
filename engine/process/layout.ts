import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { isRoot } from "./account.ts";

/** Where a stack keeps everything it runs on. All of it goes with `destroy`. */
export interface StackLayout {
  /** Unique on this machine: stack name and a hash of the checkout's path. */
  readonly id: string;
  readonly folder: string;
  /** The supervisor's scan folder. */
  readonly scan: string;
  service(name: string): string;
  config(name: string): string;
  data(name: string): string;
  logs(name: string): string;
}

/**
 * The folder of every stack's state: `/var/lib/understudy` for root (service accounts must be able to enter it),
 * else `$XDG_STATE_HOME/understudy`, default `~/.local/state/understudy`.
 */
export function stateRoot(): string {
  if (isRoot()) return "/var/lib/understudy";
  const { XDG_STATE_HOME } = process.env;
  return join(XDG_STATE_HOME || join(homedir(), ".local", "state"), "understudy");
}

/** `<stack>-<8 hex of the checkout's path>`: two checkouts may both have a stack `local`. */
export function stackId(stack: string, projectFolder: string): string {
  return `${stack}-${createHash("sha256").update(projectFolder).digest("hex").slice(0, 8)}`;
}

export function layoutOf(id: string, root: string = stateRoot()): StackLayout {
  const folder = join(root, id);
  return {
    id,
    folder,
    scan: join(folder, "scan"),
    service: (name) => join(folder, "services", name),
    config: (name) => join(folder, "etc", name),
    data: (name) => join(folder, "data", name),
    logs: (name) => join(folder, "log", name),
  };
}
