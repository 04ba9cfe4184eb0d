import type { Client } from "pg";
import { fill, fillText, placeholdersOf, type Values } from "../../load/template.ts";
import { requireMarker, markerOf } from "../../staging/marker.ts";
import { connectionOf } from "../../staging/database.ts";
import type { CheckContext, ValidationCheck } from "../check.ts";
import { jsonOf, type HttpAnswer } from "../httpClient.ts";
import { at } from "../jsonExpectation.ts";
import { failed, passed } from "../outcome.ts";

/** `{answer/…}` in a template: places of the JSON answer. */
function answerValues(template: string, answer: unknown): Values {
  const named = placeholdersOf(template).filter((name) => name.startsWith("answer/"));
  return Object.fromEntries(named.map((name) => [name, at(answer, name.slice("answer".length))]));
}

async function write(context: CheckContext, values: Values): Promise<HttpAnswer> {
  const { request } = context.requirements.writeProbe;
  const { headers } = await context.signedIn();
  return context.http.send(new URL(fillText(request.path, values), context.target.httpsUrl).href, {
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
    const bound = parameters.map((parameter) => fillText(parameter, { ...values, ...answerValues(parameter, document) }));
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
