import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { Database } from "./database.ts";
import { notAllowed, signInNeeded } from "./problem.ts";
import type { Sessions } from "./sessions.ts";
import { principalById, principalByToken, type Principal } from "./users.ts";

/** Says who asks: by the session's cookie, or by `Authorization: Bearer TOKEN`. */
export class Access {
  readonly #database: Database;
  readonly #sessions: Sessions;

  constructor(database: Database, sessions: Sessions) {
    this.#database = database;
    this.#sessions = sessions;
  }

  /**
   * Who asks; he must have the permission, when one is named.
   * @throws Problem (401, 403), CacheUnavailable
   */
  async require(request: FastifyRequest, permission?: string): Promise<Principal> {
    const principal = await this.#principal(request);
    if (principal === undefined) throw signInNeeded();
    if (permission !== undefined && !principal.permissions.has(permission)) throw notAllowed(permission);
    return principal;
  }

  /** Nobody, where nobody needs to be signed in. */
  async optional(request: FastifyRequest): Promise<Principal | undefined> {
    return this.#principal(request);
  }

  async #principal(request: FastifyRequest): Promise<Principal | undefined> {
    const bearer = /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(request.headers.authorization ?? "")?.[1];
    if (bearer !== undefined) return principalByToken(this.#database.anywhere, hashOfToken(bearer));
    const id = await this.#sessions.userId(request);
    return id === undefined ? undefined : principalById(this.#database.anywhere, id);
  }
}

/** What the database knows of a token. */
export function hashOfToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
