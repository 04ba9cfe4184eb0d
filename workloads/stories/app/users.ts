import type { Database } from "./database.ts";
import { isRole, type Role } from "./roles.ts";

export interface User {
  readonly id: string;
  readonly email: string;
  /** Never blank: the part of the email before the @ when there is no name. */
  readonly name: string;
  readonly role: Role;
  readonly schoolName: string | undefined;
}

interface UserRow {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
  readonly role: string;
  readonly schoolName: string | null;
}

const columns = `"id", "email", "name", "role"::text AS role, "schoolName"`;

export async function userById(database: Database, id: string): Promise<User | undefined> {
  const rows = await database.read<UserRow>({
    name: "user_by_id",
    text: `SELECT ${columns} FROM "User" WHERE "id" = $1`,
    values: [id],
  });
  return rows[0] && userOf(rows[0]);
}

/** As it is written, or else without regard to case and blanks around; the older account where that fits two. */
export async function userByEmail(database: Database, email: string): Promise<User | undefined> {
  const exact = await database.read<UserRow>({
    name: "user_by_email",
    text: `SELECT ${columns} FROM "User" WHERE "email" = $1`,
    values: [email],
  });
  if (exact[0] !== undefined) return userOf(exact[0]);
  const alike = await database.read<UserRow>({
    name: "user_by_email_alike",
    text: `SELECT ${columns} FROM "User" WHERE lower(btrim("email")) = lower(btrim($1)) ORDER BY "createdAt", "id" LIMIT 1`,
    values: [email],
  });
  return alike[0] && userOf(alike[0]);
}

export async function changeRole(database: Database, id: string, role: Role): Promise<void> {
  await database.transaction((transaction) =>
    transaction.query({
      name: "change_role",
      text: `UPDATE "User" SET "role" = $2, "updatedAt" = now() WHERE "id" = $1`,
      values: [id, role],
    }),
  );
}

function userOf(row: UserRow): User {
  const name = row.name?.trim();
  return {
    id: row.id,
    email: row.email,
    name: name !== undefined && name !== "" ? name : (row.email.trim().split("@")[0] ?? row.email),
    role: isRole(row.role) ? row.role : "CUSTOMER",
    schoolName: row.schoolName?.trim() === "" ? undefined : (row.schoolName ?? undefined),
  };
}
