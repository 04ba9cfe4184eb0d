import { readFile } from "node:fs/promises";
import { z } from "zod";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { parseDocument, type Workload } from "../workload/manifest.ts";

const name = z.string().min(1);
const routePath = z.string().startsWith("/");
const method = z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** What must stand at a place of a JSON document, named by JSON pointer (RFC 6901). */
export const jsonExpectation = z
  .strictObject({
    pointer: z.union([z.literal(""), z.string().startsWith("/")]),
    equals: scalar.optional(),
    type: z.enum(["object", "array", "string", "number", "boolean"]).optional(),
    /** Least number of elements of an array, or least value of a number. */
    minimum: z.number().optional(),
    /** The members of an object, these and no other, in any order. */
    keys: z.array(z.string()).min(1).optional(),
  })
  .refine(({ equals, type, minimum, keys }) => [equals, type, minimum, keys].some((wish) => wish !== undefined), {
    error: "must say equals, type, minimum or keys",
  });
export type JsonExpectation = z.infer<typeof jsonExpectation>;

const route = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  path: routePath,
  /** Default 200. */
  status: z.int().min(100).max(599).default(200),
  /** Text that must be in the body. */
  contains: z.array(z.string().min(1)).default([]),
  json: z.array(jsonExpectation).default([]),
  /** Requires a session; without one it must be denied. Default false. */
  signedIn: z.boolean().default(false),
  /** A page for people, whose load is measured, assets included. Default: whatever is no API. */
  page: z.boolean().optional(),
  /** Part of `--quick`. Default false. */
  quick: z.boolean().default(false),
});
export type RouteRequirement = z.infer<typeof route>;

/** A request with `{placeholder}` in path and JSON. */
const requestTemplate = z.strictObject({
  method,
  path: routePath,
  json: z.record(z.string(), z.unknown()).optional(),
  status: z.int().min(100).max(599),
});
export type RequestTemplate = z.infer<typeof requestTemplate>;

/** `validation.yaml` of a workload: what its application and database must show. */
export const requirements = z.strictObject({
  signIn: z.strictObject({
    path: routePath,
    /** SQL, one row per account with `email` and `role`; run as the read-only role. The first signs in for all checks. */
    accounts: z.string().min(1),
    cookie: name,
    /** Ends the session. */
    signOut: z.strictObject({ method, path: routePath }),
    /** Redis key of a session. `{id}` is the cookie's value up to its signature, `{sha256}` the hash of that in hex. */
    sessionKey: z.string().regex(/\{(id|sha256)\}/, "must hold {id} or {sha256}"),
  }),
  health: z.strictObject({
    /** Name → where its state stands in the health document. */
    components: z.record(name, z.string().startsWith("/")),
    healthy: scalar.default("healthy"),
    /** What the environment must switch on. */
    flags: z.array(jsonExpectation).default([]),
    /** The document that shows the flags. Default: the health document. */
    flagsPath: routePath.optional(),
  }),
  routes: z.array(route).min(1),
  /** Left out by a workload that has none. */
  dashboard: z
    .strictObject({
      path: routePath,
      /** Text that the page of an account must hold; `{role}` stands for its role. */
      contains: z.array(z.string().min(1)).min(1),
    })
    .optional(),
  /** On every HTML page. Left out by a workload that has no pages, such as an API: then no check of pages runs. */
  banner: z.array(z.string().min(1)).min(1).optional(),
  assets: z
    .array(
      z.strictObject({
        path: routePath,
        contentType: name,
        /** Least `max-age` of Cache-Control, in seconds. */
        maxAgeSeconds: z.int().nonnegative(),
      }),
    )
    .min(1),
  database: z.strictObject({
    /** `schema.table`, or the table alone in `public`; unquoted, letter case as it is. */
    tables: z.array(z.strictObject({ table: name, minimumRows: z.int().nonnegative().default(0) })).min(1),
    /** Domains that masked email addresses end in. */
    emailDomains: z.array(name).min(1),
    /** Standard queries, run as the read-only role. */
    queries: z.array(z.strictObject({ name, sql: z.string().min(1) })).min(1),
    /** Table of applied migrations, with the columns that must be readable. */
    migrationLog: z.strictObject({ table: name, columns: z.array(name).min(1) }),
  }),
  performance: z.strictObject({
    /** Longest load of a page, its assets included. Document 004: 3 seconds. */
    pageLoadMs: z.int().positive().default(3_000),
    /** Longest of a standard query. Document 004: 100 ms. */
    queryMs: z.int().positive().default(100),
    /** Where the load goes. */
    path: routePath,
    requests: z.int().min(10).max(400).default(50),
    concurrency: z.int().min(1).max(50).default(10),
    /** Bound of the 95th percentile under that load. */
    p95Ms: z.int().positive().default(1_000),
    /** All services together. */
    memoryMb: z.int().positive().default(2_048),
  }),
  monitoring: z.strictObject({
    /** Prometheus jobs whose every target must be up. */
    jobs: z.array(name).min(1),
    /** PromQL that must yield at least one series, every value other than 0. */
    queries: z.array(z.strictObject({ name, query: z.string().min(1) })).default([]),
    /** Metrics that every instance of the application must show. */
    appMetrics: z.array(z.string().regex(/^[a-zA-Z_:][\w:]*$/, "must be the name of a metric")).default([]),
  }),
  /** A write through the application, signed in, that must arrive in the database, and is taken back. */
  writeProbe: z.strictObject({
    /** SQL, one row run as the read-only role; its columns are placeholders: `{column}`. */
    prepare: z.string().min(1),
    request: requestTemplate,
    /** What $1, $2 … of the next two stand for: placeholders, `{answer/…}` being a place of the JSON answer. */
    parameters: z.array(z.string().min(1)).min(1),
    /** SQL of one row, as the read-only role: the boolean `visible`. */
    visible: z.string().min(1),
    /** SQL that takes it back, as the application's role. Harmless when there is nothing to take back. */
    undo: z.string().min(1),
  }),
  topology: z
    .strictObject({
      /** Longest until a read replica has replayed what the primary had written. */
      replicaLagMs: z.int().positive().default(2_000),
    })
    .prefault({}),
  disk: z.strictObject({ /** On every file system that holds data. */ minimumFreeMb: z.int().positive().default(512) }).prefault({}),
  /** Ports production uses, that no staging service may take. */
  productionPorts: z.array(z.int().min(1).max(65_535)).default([80, 443, 3000, 5050, 5432, 6379, 9090]),
});
export type Requirements = z.infer<typeof requirements>;

/**
 * Reads the workload's `validation.yaml`.
 * @throws UnderstudyError (exit 2) that names every wrong key at once.
 */
export async function loadRequirements(workload: Workload): Promise<Requirements> {
  const file = workload.path(workload.manifest.validation);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UnderstudyError(`What validation asks of "${workload.manifest.name}" cannot be read: ${messageOf(cause)}.`, {
      exitCode: exitCode.usage,
      remedy: `Write ${file}, or name another file under "validation" in workload.yaml.`,
      cause,
    });
  }
  return parseDocument(requirements, text, file);
}
