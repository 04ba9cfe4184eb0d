import type { AddCommand } from "../context.ts";

/** Every command, in the order of `--help`. Each is a module of its own, loaded when it is called. */
const modules: Readonly<Record<string, () => Promise<AddCommand>>> = {
  up: async () => (await import("./up.ts")).addUp,
  preview: async () => (await import("./preview.ts")).addPreview,
  refresh: async () => (await import("./refresh.ts")).addRefresh,
  destroy: async () => (await import("./destroy.ts")).addDestroy,
  status: async () => (await import("./status.ts")).addStatus,
  outputs: async () => (await import("./outputs.ts")).addOutputs,
  logs: async () => (await import("./logs.ts")).addLogs,
  config: async () => (await import("./config.ts")).addConfig,
  copy: async () => (await import("./copy.ts")).addCopy,
  migrate: async () => (await import("./migrate.ts")).addMigrate,
  validate: async () => (await import("./validate.ts")).addValidate,
  load: async () => (await import("./load.ts")).addLoad,
  backup: async () => (await import("./backup.ts")).addBackup,
  restore: async () => (await import("./backup.ts")).addRestore,
  restart: async () => (await import("./restart.ts")).addRestart,
  promote: async () => (await import("./promote.ts")).addPromote,
  maintenance: async () => (await import("./maintenance.ts")).addMaintenance,
  report: async () => (await import("./report.ts")).addReport,
  gc: async () => (await import("./gc.ts")).addGc,
  doctor: async () => (await import("./doctor.ts")).addDoctor,
};

/** The commands that a command line names; all of them when it names none, or asks for help with one of them. */
export async function loadCommands(words: readonly string[]): Promise<AddCommand[]> {
  const named = Object.keys(modules).filter((name) => words.includes(name));
  const wanted = named.length === 0 || words.includes("help") ? Object.keys(modules) : named;
  return Promise.all(wanted.flatMap((name) => modules[name]?.() ?? []));
}
