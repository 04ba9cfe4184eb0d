import { readdir, readFile } from "node:fs/promises";
import { Client } from "pg";
import { createClient } from "redis";
import { clientConfig } from "../../postgres/connection.ts";
import { hasSqlState } from "../../postgres/session.ts";
import { connectionOf, stagingRoles, type StagingRole } from "../../staging/database.ts";
import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";
import { secretsOf } from "../target.ts";

const wrongPassword = "understudy-wrong-password";

export const postgresRefusesWrongPassword: ValidationCheck = {
  id: "security.postgres-password",
  category: "security",
  title: "PostgreSQL refuses a wrong password for every role",
  severity: "error",
  quick: true,
  run: async ({ target }) => {
    const roles = Object.keys(stagingRoles) as StagingRole[];
    const problems = await Promise.all(
      roles.map(async (role) => {
        const settings = { ...connectionOf(target.staging, role), password: wrongPassword };
        const client = new Client(clientConfig(settings, { applicationName: "understudy wrong password", connectTimeoutMs: 3_000 }));
        client.on("error", () => {});
        try {
          await client.connect();
          return [`${stagingRoles[role]} was let in with a wrong password`];
        } catch (error) {
          if (hasSqlState(error, "28P01", "28000")) return [];
          throw error;
        } finally {
          await client.end().catch(() => {});
        }
      }),
    );
    return verdict(problems.flat(), { count: roles.length, evidence: `${roles.length} roles tried, each refused`, remedy: "Replace trust by scram-sha-256 in pg_hba.conf, then reload." });
  },
};

export const postgresAuthentication: ValidationCheck = {
  id: "security.postgres-authentication",
  category: "security",
  title: "PostgreSQL asks everybody for a SCRAM password",
  severity: "error",
  quick: false,
  run: async ({ session }) => {
    const { rows } = await session("admin", (client) =>
      client.query<{ line: number; type: string; method: string | null; error: string | null }>(
        "SELECT line_number AS line, coalesce(type, '') AS type, auth_method AS method, error FROM pg_hba_file_rules ORDER BY line_number",
      ),
    );
    const safe = ["scram-sha-256", "reject", "cert"];
    const problems = rows
      .filter(({ method, error }) => error !== null || !safe.includes(method ?? ""))
      .map(({ line, type, method, error }) => `line ${line} of pg_hba.conf: ${error ?? `${type} by ${method}`}`);
    return verdict(problems, { count: rows.length, evidence: `${rows.length} rules, all ${[...new Set(rows.map(({ method }) => method))].join(", ")}`, remedy: "Replace the method by scram-sha-256 in pg_hba.conf, then reload." });
  },
};

export const redisRefusesWithoutPassword: ValidationCheck = {
  id: "security.redis-password",
  category: "security",
  title: "Redis refuses who has no password, or a wrong one",
  severity: "error",
  quick: true,
  run: async ({ target }) => {
    const { nodes = [target.redis] } = target.redis;
    const tries = nodes.flatMap(({ host, port }) => [
      { host, port, what: "without a password", options: {}, refusals: /NOAUTH/ },
      { host, port, what: "with a wrong password", options: { password: wrongPassword }, refusals: /WRONGPASS|ERR AUTH|NOAUTH/ },
    ]);
    const problems = await Promise.all(
      tries.map(async ({ host, port, what, options, refusals }) => {
        const client = createClient({ ...options, socket: { host, port, connectTimeout: 2_000, reconnectStrategy: false }, disableOfflineQueue: true });
        client.on("error", () => {});
        try {
          await client.connect();
          await client.ping();
          return [`it answered ${what}`];
        } catch (error) {
          if (error instanceof Error && /no password is set/.test(error.message)) return ["it has no password at all"];
          if (error instanceof Error && refusals.test(error.message)) return [];
          throw error;
        } finally {
          if (client.isOpen) client.destroy();
        }
      }),
    );
    return verdict(problems.flat(), { count: tries.length, evidence: "refused without a password and with a wrong one", remedy: "Set requirepass in redis.conf, and restart it." });
  },
};

const shortestSecret = 8;

export const noSecretInArguments: ValidationCheck = {
  id: "security.process-arguments",
  category: "security",
  title: "No process shows a secret in its arguments",
  severity: "error",
  quick: true,
  run: async ({ target }) => {
    const secrets = secretsOf(target);
    const long = secrets.filter(({ value }) => value.length >= shortestSecret);
    const short = secrets.filter((secret) => !long.includes(secret)).map(({ name }) => `${name} has fewer than ${shortestSecret} characters`);
    const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
    const commands = await Promise.all(pids.map(async (pid) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "") })));
    const readable = commands.filter(({ line }) => line !== "");
    const shown = readable.flatMap(({ pid, line }) => {
      const program = line.split("\0")[0]?.split("/").at(-1) ?? "";
      return long
        .filter(({ value }) => line.includes(value) || line.includes(encodeURIComponent(value)))
        .map(({ name, value }) => `process ${pid} (${program.replaceAll(value, "[secret]")}) shows ${name}`);
    });
    return verdict([...shown, ...short], {
      count: Math.min(readable.length, secrets.length),
      evidence: `${readable.length} processes looked at for ${long.length} secrets`,
      remedy: "Give it by environment or by a 0600 file, and change it: every user of this machine could read it.",
    });
  },
};
