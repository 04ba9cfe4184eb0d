import { createHash } from "node:crypto";
import { createClient, createCluster } from "redis";
import type { ValidationCheck } from "../check.ts";
import { failed, passed } from "../outcome.ts";

export const sessionsInRedis: ValidationCheck = {
  id: "integration.app-redis",
  category: "integration",
  title: "The application keeps its sessions in Redis",
  severity: "error",
  quick: false,
  run: async (context) => {
    const { target, requirements } = context;
    const { cookieValue } = await context.signedIn();
    const id = decodeURIComponent(cookieValue).split(".")[0] ?? "";
    const sha256 = createHash("sha256").update(id).digest("hex");
    const key = requirements.signIn.sessionKey.replaceAll("{id}", id).replaceAll("{sha256}", sha256);
    const { nodes, password, ...server } = target.redis;
    const socket = { connectTimeout: 2_000, reconnectStrategy: false } as const;
    const client =
      nodes === undefined
        ? createClient({ password, socket: { ...socket, ...server }, disableOfflineQueue: true })
        : createCluster({ rootNodes: nodes.map(({ host, port }) => ({ socket: { ...socket, host, port } })), defaults: { password, socket } });
    client.on("error", () => {});
    try {
      await client.connect();
      const ttlSeconds = await client.ttl(key);
      if (ttlSeconds === -2) return failed("the session of our own sign-in is not in Redis", "See whether REDIS_URL of the application names this Redis.");
      if (ttlSeconds === -1) return failed("the session of our own sign-in never expires", "Store sessions with a time to live.");
      return passed(`the session of our own sign-in is there, and ends in ${Math.round(ttlSeconds / 60)} min`);
    } finally {
      if (client.isOpen) client.destroy();
    }
  },
};
