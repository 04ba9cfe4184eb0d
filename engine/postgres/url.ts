import { exitCode, UnderstudyError } from "../errors.ts";
import type { ConnectionSettings } from "./connection.ts";

const sslmodes = ["disable", "require", "verify-ca", "verify-full"] as const;

/**
 * Reads `postgresql://user:password@host:port/database?sslmode=…`. Without `sslmode`: `disable` on loopback, else `require`.
 * @throws UnderstudyError (exit 2) that says what is missing, never showing the URL: it holds a password.
 */
export function connectionFromUrl(text: string): ConnectionSettings {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw wrong("it is not a URL of the form postgresql://user:password@host:port/database");
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  const missing = [
    ...(url.hostname === "" ? ["host"] : []),
    ...(url.username === "" ? ["user"] : []),
    ...(database === "" ? ["database"] : []),
  ];
  if (missing.length > 0) throw wrong(`it names no ${missing.join(", no ")}`);
  const wanted = url.searchParams.get("sslmode");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const loopback = ["localhost", "127.0.0.1", "::1"].includes(host);
  const sslmode = wanted === null ? (loopback ? "disable" : "require") : sslmodes.find((mode) => mode === wanted);
  if (sslmode === undefined) throw wrong(`its sslmode "${wanted}" is not one of ${sslmodes.join(", ")}`);
  return {
    host,
    port: url.port === "" ? 5432 : Number(url.port),
    database,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    sslmode,
  };
}

function wrong(why: string): UnderstudyError {
  return new UnderstudyError(`The source's URL cannot be used: ${why}.`, {
    exitCode: exitCode.usage,
    remedy: "Set it with: understudy config set --secret sourceUrl",
  });
}
