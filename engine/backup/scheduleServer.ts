import { createServer } from "node:http";
import { parseSettings } from "./scheduleSettings.ts";
import { startSchedule, type ScheduleState } from "./schedule.ts";

/** The service `scheduled-backup`: makes backups, and says of them what Prometheus and the stack's health check ask. */
const { host, port, ...settings } = parseSettings(process.env);
const stop = new AbortController();
const schedule = startSchedule({ ...settings, log: (line) => process.stdout.write(`${line}\n`) }, stop.signal);

function metricsOf({ lastSuccess, problem }: ScheduleState): string {
  return [
    "# HELP understudy_backup_last_success_seconds When the newest backup was taken, in seconds since 1970; 0: there is none",
    "# TYPE understudy_backup_last_success_seconds gauge",
    `understudy_backup_last_success_seconds ${lastSuccess === undefined ? 0 : lastSuccess.getTime() / 1_000}`,
    "# HELP understudy_backup_interval_seconds How often one is made",
    "# TYPE understudy_backup_interval_seconds gauge",
    `understudy_backup_interval_seconds ${settings.intervalMs / 1_000}`,
    "# HELP understudy_backup_failing Whether the last try failed",
    "# TYPE understudy_backup_failing gauge",
    `understudy_backup_failing ${problem === undefined ? 0 : 1}`,
    "",
  ].join("\n");
}

const server = createServer((request, response) => {
  schedule.state().then(
    (state) => {
      const isMetrics = request.url === "/metrics";
      const isHealthy = state.lastSuccess !== undefined && state.problem === undefined;
      if (isMetrics) response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(metricsOf(state));
      else response.writeHead(isHealthy ? 200 : 503, { "content-type": "application/json" }).end(JSON.stringify({ status: isHealthy ? "healthy" : "unhealthy", ...state }));
    },
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(port, host);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    stop.abort();
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
