import type { Flags } from "./settings.ts";

export const roles = ["LEARNER", "CUSTOMER", "TEACHER", "AUTHOR", "VOLUNTEER", "INSTITUTION", "ADMIN"] as const;
export type Role = (typeof roles)[number];

export type DashboardKind = "universal" | "learner" | "customer" | "teacher" | "author" | "volunteer" | "institution" | "admin";

export function isRole(value: unknown): value is Role {
  return (roles as readonly unknown[]).includes(value);
}

/** The role that counts: during the role migration a LEARNER is a CUSTOMER already. */
export function effectiveRole(role: Role, flags: Flags): Role {
  return role === "LEARNER" && flags.roleMigrationMode ? "CUSTOMER" : role;
}

/** Which dashboard somebody of a role sees. */
export function dashboardOf(role: Role, flags: Flags): DashboardKind {
  if (flags.universalDashboard) return "universal";
  return effectiveRole(role, flags).toLowerCase() as DashboardKind;
}

/** The roles people may give themselves. */
export function selectableRoles(flags: Flags): readonly Role[] {
  if (flags.roleSelectionDisabled) return [];
  const open: readonly Role[] = ["LEARNER", "CUSTOMER", "TEACHER", "VOLUNTEER"];
  return flags.roleMigrationMode ? open.filter((role) => role !== "LEARNER") : open;
}
