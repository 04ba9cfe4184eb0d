import { Option } from "commander";
import { stagingRoles } from "../../engine/staging/database.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { table } from "../console.ts";
import { deployedStack, type DeployedStack } from "../target.ts";

interface OutputsOptions {
  readonly env: boolean;
  readonly showSecrets: boolean;
}

export const addOutputs: AddCommand = (program, { console }) => {
  const command = program
    .command("outputs")
    .description("where everything is: URLs, ports, reports, connection strings")
    .addOption(new Option("--env", "as shell assignments, passwords included: eval \"$(understudy outputs --env)\"").default(false))
    .option("--show-secrets", "passwords too, with --json", false)
    .action(async (options: OutputsOptions) => {
      const { stack: name, json } = globalsOf(command);
      const stack = await deployedStack(name);
      if (options.env) console.result(asShell(environmentOf(stack)));
      else if (json) console.result(JSON.stringify(asJson(stack, options.showSecrets), null, 2));
      else console.result(asText(stack));
    });
};

/** Connection strings and URLs under the names that applications use. */
function environmentOf({ description, urls }: DeployedStack): Record<string, string> {
  const { staging, redis, pool, signInPassword, source, httpsUrl } = description;
  const url = (user: string, password: string, { host, port }: { readonly host: string; readonly port: number } = staging) =>
    `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${staging.database}`;
  return {
    NEXTAUTH_URL: httpsUrl,
    DATABASE_URL: url(stagingRoles.app, staging.passwords.app),
    MIGRATION_DATABASE_URL: url(stagingRoles.owner, staging.passwords.owner),
    READONLY_DATABASE_URL: url(stagingRoles.readOnly, staging.passwords.readOnly),
    REDIS_URL: `redis://:${encodeURIComponent(redis.password)}@${redis.host}:${redis.port}/0`,
    ...(staging.replica === undefined ? {} : { DATABASE_REPLICA_URL: url(stagingRoles.app, staging.passwords.app, staging.replica) }),
    ...(pool === undefined ? {} : { DATABASE_POOL_URL: url(stagingRoles.app, staging.passwords.app, pool) }),
    ...(redis.nodes === undefined ? {} : { REDIS_CLUSTER_NODES: redis.nodes.map(({ host, port }) => `${host}:${port}`).join(","), REDIS_PASSWORD: redis.password }),
    STAGING_SIGN_IN_PASSWORD: signInPassword,
    ...(source === undefined ? {} : { SOURCE_DATABASE_URL: `postgresql://${source.user}:${encodeURIComponent(source.password)}@${source.host}:${source.port}/${source.database}` }),
    ...Object.fromEntries(Object.entries(urls).map(([key, value]) => [`UNDERSTUDY_${key.toUpperCase()}_URL`, value])),
  };
}

function asShell(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join("\n");
}

function asJson(stack: DeployedStack, showSecrets: boolean): object {
  const { name, stackId, urls, ports, reports, workload } = stack;
  const plain = { stack: name, stackId, workload: workload.manifest.name, urls, ports, reports };
  return showSecrets ? { ...plain, environment: environmentOf(stack) } : plain;
}

function asText({ urls, ports, reports }: DeployedStack): string {
  const section = (title: string, rows: readonly (readonly string[])[]) => [title, table(rows.map((row) => ["", ...row])), ""];
  return [
    ...section("URLs", Object.entries(urls)),
    ...section("Ports", Object.entries(ports).map(([name, port]) => [name, String(port)])),
    ...section("Reports", Object.entries(reports)),
    "Passwords: understudy outputs --env",
  ].join("\n");
}
