import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { caseWorkload } from "./fixture.ts";

/** A rehearsal in a process of its own, to be killed; says where it is, one line a step. */
const { staging, folder, reports } = JSON.parse(process.env["REHEARSAL"] ?? "{}") as { staging: StagingDatabase; folder: string; reports: string };
const onProgress = ({ message }: { readonly message: string }): void => console.log(message);
await rehearseMigrations({ staging, workload: caseWorkload(folder), stack: "local", reportsFolder: reports, onProgress });
console.log("ended");
