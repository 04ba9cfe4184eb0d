import { stagingRoles, type StagingRole } from "../../staging/database.ts";
import { markerOf } from "../../staging/marker.ts";
import type { ValidationCheck } from "../check.ts";
import { failed, passed, verdict } from "../outcome.ts";
import { messageOf } from "../../errors.ts";

export const everyRoleConnects: ValidationCheck = {
  id: "database.connect",
  category: "database",
  title: "Every role can connect",
  severity: "error",
  quick: true,
  run: async ({ target, session }) => {
    const roles = Object.keys(stagingRoles) as StagingRole[];
    const seen = await Promise.all(
      roles.map((role) =>
        session(role, (client) => client.query<{ name: string }>("SELECT current_user AS name")).then(
          ({ rows }) => (rows[0]?.name === stagingRoles[role] ? [] : [`${role} is signed in as ${rows[0]?.name}`]),
          (error: unknown) => [`${role}: ${messageOf(error)}`],
        ),
      ),
    );
    return verdict(seen.flat(), {
      count: roles.length,
      evidence: `${roles.map((role) => stagingRoles[role]).join(", ")} on ${target.staging.host}:${target.staging.port}/${target.staging.database}`,
      remedy: "Run `understudy up`: it brings the roles to what they should be.",
    });
  },
};

export const markerPresent: ValidationCheck = {
  id: "database.marker",
  category: "database",
  title: "The database says that it is this stack's staging",
  severity: "error",
  quick: true,
  run: async ({ target, session }) => {
    const marker = await session("readOnly", markerOf);
    if (marker === undefined) return failed("staging_logs.marker has no row", "Run `understudy up`; never mark another database by hand.");
    if (marker.stack !== target.stack) return failed(`it belongs to stack "${marker.stack}", not to "${target.stack}"`, "Check the database's port in the configuration.");
    return passed(`marked as staging of stack ${marker.stack} since ${marker.createdAt.toISOString().slice(0, 19)}Z`);
  },
};
