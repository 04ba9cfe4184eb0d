import { createHash, randomBytes } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Cache } from "./cache.ts";

/** `__Host-`: browsers take it only over HTTPS (or localhost), for this host alone, from the root path. */
const cookieName = "__Host-architect-session";
const attributes = { path: "/", httpOnly: true, secure: true, sameSite: "lax" } as const;

/** Sessions in the cache. The cookie holds a signed random id; the cache knows only its hash. */
export class Sessions {
  readonly #cache: Cache;
  readonly #lifetimeSeconds: number;

  constructor(cache: Cache, lifetimeSeconds: number) {
    this.#cache = cache;
    this.#lifetimeSeconds = lifetimeSeconds;
  }

  /** @throws CacheUnavailable */
  async start(reply: FastifyReply, userId: string): Promise<void> {
    const id = randomBytes(32).toString("base64url");
    await this.#cache.set(keyOf(id), JSON.stringify({ userId, startedAt: new Date().toISOString() }), this.#lifetimeSeconds);
    reply.setCookie(cookieName, id, { ...attributes, signed: true, maxAge: this.#lifetimeSeconds });
  }

  /**
   * The id of the user who is signed in, or nothing.
   * @throws CacheUnavailable
   */
  async userId(request: FastifyRequest): Promise<string | undefined> {
    const id = idOf(request);
    if (id === undefined) return undefined;
    const text = await this.#cache.get(keyOf(id));
    if (text === null) return undefined;
    const session: unknown = JSON.parse(text);
    if (typeof session !== "object" || session === null || !("userId" in session)) return undefined;
    return typeof session.userId === "string" ? session.userId : undefined;
  }

  /** @throws CacheUnavailable */
  async end(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    reply.clearCookie(cookieName, attributes);
    const id = idOf(request);
    if (id !== undefined) await this.#cache.delete(keyOf(id));
  }
}

function idOf(request: FastifyRequest): string | undefined {
  const cookie = request.cookies[cookieName];
  if (cookie === undefined) return undefined;
  const { valid, value } = request.unsignCookie(cookie);
  return valid && value !== null ? value : undefined;
}

function keyOf(id: string): string {
  return `session:${createHash("sha256").update(id).digest("hex")}`;
}
