import { join, resolve } from "node:path";

/** The checkout this command belongs to, and where it keeps what is its own. */
export interface ProjectPaths {
  readonly root: string;
  /** Ignored by git: state, passphrase, work folder. */
  readonly own: string;
  readonly backend: string;
  readonly passphrase: string;
  /** Where the engine runs: our own Pulumi.yaml and the stacks' effective configuration. */
  readonly work: string;
  readonly reports: string;
}

export const project: ProjectPaths = pathsOf(resolve(import.meta.dirname, ".."));

export function pathsOf(root: string): ProjectPaths {
  const own = join(root, ".understudy");
  return {
    root,
    own,
    backend: join(own, "backend"),
    passphrase: join(own, "passphrase"),
    work: join(own, "work"),
    reports: join(root, "staging-backups"),
  };
}
