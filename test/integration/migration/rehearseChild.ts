import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { caseWorkload } from "./fixture.ts";
import type { Command } from "./inputs.ts";

/** A rehearsal in a process of its own, to be killed; says where it is, one line a step. */
const { staging, folder, reports, command } = JSON.parse(process.env["REHEARSAL"] ?? "{}") as { staging: StagingDatabase; folder: string; reports: string; command?: Command };
const plain = caseWorkload(folder);
const migrations = { ...plain.manifest.migrations, ...(command === undefined ? {} : { command }) };
const onProgress = ({ message }: { readonly message: string }): void => console.log(message);
await rehearseMigrations({ staging, workload: { ...plain, manifest: { ...plain.manifest, migrations } }, stack: "local", reportsFolder: reports, onProgress });
console.log("ended");
