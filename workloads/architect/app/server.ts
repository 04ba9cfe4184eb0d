import { messageOf, UnderstudyError } from "../../../engine/errors.ts";
import { buildApi } from "./app.ts";
import { readSettings, type AppSettings } from "./settings.ts";

/** A request still running this long after SIGTERM is cut. */
const longestShutdownMs = 8_000;

const settings = settingsOrExit();
const api = await buildApi(settings);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    api.server.log.info({ signal }, "shutting down");
    setTimeout(() => process.exit(1), settings.shutdownDelayMs + longestShutdownMs).unref();
    api.leave().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

try {
  await api.server.listen({ host: settings.host, port: settings.port });
} catch (error) {
  api.server.log.fatal(`cannot listen on ${settings.host}:${settings.port}: ${messageOf(error)}`);
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
