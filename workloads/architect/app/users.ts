import type { Reader } from "./database.ts";

/** Who asks, and what he may do. */
export interface Principal {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
  readonly permissions: ReadonlySet<string>;
}

interface PrincipalRow {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
  readonly role: string;
  readonly permissions: readonly string[];
}

const principals = `SELECT u.id, u.email, u.full_name AS name, r.name AS role,
         array(SELECT p.name FROM role_permissions rp JOIN permissions p ON p.id = rp.permission_id WHERE rp.role_id = u.role_id) AS permissions
    FROM users u JOIN roles r ON r.id = u.role_id`;

export async function principalById(reader: Reader, id: string): Promise<Principal | undefined> {
  const [row] = await reader.read<PrincipalRow>({ name: "principal_by_id", text: `${principals} WHERE u.id = $1 AND u.status = 'active'`, values: [id] });
  return row && principalOf(row);
}

/** By the hash of an API token that has not run out; its scopes narrow what its owner may do. */
export async function principalByToken(reader: Reader, tokenHash: string): Promise<Principal | undefined> {
  const [token] = await reader.read<{ userId: string; scopes: string[] }>({
    name: "token_by_hash",
    text: `SELECT user_id AS "userId", scopes FROM api_tokens WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > now())`,
    values: [tokenHash],
  });
  const owner = token === undefined ? undefined : await principalById(reader, token.userId);
  if (token === undefined || owner === undefined || token.scopes.length === 0) return owner;
  return { ...owner, permissions: new Set(token.scopes.filter((scope) => owner.permissions.has(scope))) };
}

/** Without regard to letter case and blanks around; as it is written wins, then the older account. */
export async function principalByEmail(reader: Reader, email: string): Promise<Principal | undefined> {
  const [row] = await reader.read<PrincipalRow>({
    name: "principal_by_email",
    text: `${principals} WHERE lower(btrim(u.email)) = lower(btrim($1)) AND u.status = 'active' ORDER BY u.email = $1 DESC, u.created_at, u.id LIMIT 1`,
    values: [email],
  });
  return row && principalOf(row);
}

function principalOf(row: PrincipalRow): Principal {
  const name = row.name?.trim();
  return {
    id: row.id,
    email: row.email,
    name: name !== undefined && name !== "" ? name : (row.email.trim().split("@")[0] ?? row.email),
    role: row.role,
    permissions: new Set(row.permissions),
  };
}
