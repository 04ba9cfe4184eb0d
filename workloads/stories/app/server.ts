import { messageOf, UnderstudyError } from "../../../engine/errors.ts";
import { buildApp } from "./app.ts";
import { readSettings, type AppSettings } from "./settings.ts";

/** A request still running this long after SIGTERM is cut. */
const longestShutdownMs = 8_000;

const settings = settingsOrExit();
const app = await buildApp(settings);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    app.log.info({ signal }, "shutting down");
    setTimeout(() => process.exit(1), longestShutdownMs).unref();
    app.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

try {
  await app.listen({ host: settings.host, port: settings.port });
} catch (error) {
  app.log.fatal(`cannot listen on ${settings.host}:${settings.port}: ${messageOf(error)}`);
  process.exit(3);
}

function settingsOrExit(): AppSettings {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error;
    process.stderr.write(`${error.line}\n`);
    process.exit(error.exitCode);
  }
}
