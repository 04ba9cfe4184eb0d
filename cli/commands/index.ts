import type { AddCommand } from "../context.ts";
import { addBackup, addRestore } from "./backup.ts";
import { addConfig } from "./config.ts";
import { addCopy } from "./copy.ts";
import { addDestroy } from "./destroy.ts";
import { addDoctor } from "./doctor.ts";
import { addGc } from "./gc.ts";
import { addLogs } from "./logs.ts";
import { addMaintenance } from "./maintenance.ts";
import { addMigrate } from "./migrate.ts";
import { addOutputs } from "./outputs.ts";
import { addPreview } from "./preview.ts";
import { addRefresh } from "./refresh.ts";
import { addReport } from "./report.ts";
import { addStatus } from "./status.ts";
import { addUp } from "./up.ts";
import { addValidate } from "./validate.ts";

/** Every command, in the order of `--help`. */
export const commands: readonly AddCommand[] = [
  addUp,
  addPreview,
  addRefresh,
  addDestroy,
  addStatus,
  addOutputs,
  addLogs,
  addConfig,
  addCopy,
  addMigrate,
  addValidate,
  addBackup,
  addRestore,
  addMaintenance,
  addReport,
  addGc,
  addDoctor,
];
