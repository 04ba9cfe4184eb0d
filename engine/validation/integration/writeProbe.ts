import type { Client } from "pg";
import { requireMarker, markerOf } from "../../staging/marker.ts";
import { connectionOf } from "../../staging/database.ts";
import type { CheckContext, ValidationCheck } from "../check.ts";
import { jsonOf, type HttpAnswer } from "../httpClient.ts";
import { at } from "../jsonExpectation.ts";
import { failed, passed } from "../outcome.ts";

type Values = Readonly<Record<string, unknown>>;

/** `{name}` → its value, `{answer/…}` → a place of the answer. */
function lookUp(template: string, values: Values, answer?: unknown): string {
  return template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = name.startsWith("answer/") ? at(answer, name.slice("answer".length)) : values[name];
    if (value === undefined || value === null) throw new Error(`writeProbe of the workload names {${name}}, which there is not`);
    return String(value);
  });
}

/** Placeholders in every text of a JSON value; a text that is nothing but one keeps the value's type. */
function fill(template: unknown, values: Values): unknown {
  if (typeof template === "string") {
    const whole = /^\{([^{}]+)\}$/.exec(template)?.[1];
    return whole !== undefined && whole in values ? values[whole] : lookUp(template, values);
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, values));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, item]) => [key, fill(item, values)]));
}

async function write(context: CheckContext, values: Values): Promise<HttpAnswer> {
  const { request } = context.requirements.writeProbe;
  const { headers } = await context.signedIn();
  return context.http.send(new URL(lookUp(request.path, values), context.target.httpsUrl).href, {
    method: request.method,
    headers,
    ...(request.json === undefined ? {} : { json: fill(request.json, values) }),
    signal: context.signal,
  });
}

export const writesReachDatabase: ValidationCheck = {
  id: "integration.app-database",
  category: "integration",
  title: "What the application writes arrives in the database",
  severity: "error",
  quick: false,
  timeoutMs: 8_000,
  run: async (context) => {
    const { requirements, target, session } = context;
    const { prepare, request, parameters, visible, undo } = requirements.writeProbe;
    const values = await session("readOnly", async (client) => {
      requireMarker(await markerOf(client), connectionOf(target.staging, "readOnly"), target.stack);
      const { rows } = await client.query<Record<string, unknown>>(prepare);
      if (rows[0] === undefined) throw new Error("writeProbe.prepare of the workload yields no row");
      return rows[0];
    });
    const answer = await write(context, values);
    if (answer.status !== request.status) {
      return failed(`${request.method} ${request.path} answered ${answer.status}, not ${request.status}`, "See the application's log at the time of this run.");
    }
    const document = answer.body === "" ? undefined : jsonOf(answer);
    const bound = parameters.map((parameter) => lookUp(parameter, values, document));
    const arrived = await session("readOnly", (client) => isVisible(client, visible, bound)).finally(() =>
      session("app", (client) => client.query(undo, bound), { writable: true }),
    );
    if (!arrived) return failed(`${request.method} ${request.path} answered ${answer.status}, but nothing of it is in the database`, "See whether DATABASE_URL of the application names this database.");
    if (await session("readOnly", (client) => isVisible(client, visible, bound))) return failed("what was written could not be taken back", "See writeProbe.undo of the workload.");
    return passed(`${request.method} ${request.path} answered ${answer.status}; the row was in the database, and was taken back`);
  },
};

async function isVisible(client: Client, sql: string, parameters: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ visible: boolean }>(sql, [...parameters]);
  if (typeof rows[0]?.visible !== "boolean") throw new Error("writeProbe.visible of the workload yields no boolean `visible`");
  return rows[0].visible;
}
