import { randomBytes } from "node:crypto";
import { hashOfToken } from "./access.ts";
import type { Database, Reader } from "./database.ts";

export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** ISO 8601, UTC. */
  readonly expiresAt: string | null;
}

const columns = `id, name, scopes, to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "expiresAt"`;

export async function listTokens(reader: Reader, userId: string): Promise<ApiToken[]> {
  return reader.read<ApiToken>({ name: "list_tokens", text: `SELECT ${columns} FROM api_tokens WHERE user_id = $1 ORDER BY created_at DESC, id LIMIT 100`, values: [userId] });
}

/** The token itself is shown this once; kept is its hash. */
export async function createToken(
  database: Database,
  userId: string,
  { name, scopes, days }: { readonly name: string; readonly scopes: readonly string[]; readonly days: number },
): Promise<ApiToken & { readonly token: string }> {
  const token = `arch_${randomBytes(32).toString("base64url")}`;
  const [row] = await database.write<ApiToken>({
    name: "insert_token",
    text: `INSERT INTO api_tokens (user_id, name, token_hash, scopes, expires_at)
           VALUES ($1, $2, $3, $4::text[], now() + $5 * interval '1 day') RETURNING ${columns}`,
    values: [userId, name, hashOfToken(token), scopes, days],
  });
  if (row === undefined) throw new Error("INSERT … RETURNING gave no row");
  return { ...row, token };
}

export async function deleteToken(database: Database, userId: string, id: string): Promise<boolean> {
  const removed = await database.write({ name: "delete_token", text: "DELETE FROM api_tokens WHERE id = $1 AND user_id = $2 RETURNING id", values: [id, userId] });
  return removed.length > 0;
}
