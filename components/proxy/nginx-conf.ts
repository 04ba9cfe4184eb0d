import { basics, compression, errors, headers, limits, logging, tls, upstream } from "./nginx-http.ts";
import { normalizeNginxInput, type NginxInput } from "./nginx-input.ts";
import { applicationServer, redirectServer, refusingServer, statusServer } from "./nginx-servers.ts";
import { indented, quoted } from "./nginx-text.ts";

export type { NginxInput, NginxRateLimits, NginxUpstream } from "./nginx-input.ts";

/**
 * Renders a whole `nginx.conf` for nginx 1.22 or newer, run in the foreground by an unprivileged user:
 * `nginx -e stderr -p FOLDER -c FOLDER/nginx.conf`. Pure: the same input, the same text.
 *
 * @throws UnderstudyError (exit 2) that names every wrong value at once.
 */
export function renderNginxConf(input: NginxInput): string {
  const settings = normalizeNginxInput(input);
  const http = [
    basics(settings),
    logging(settings),
    tls(settings),
    headers(settings),
    errors(settings),
    compression,
    limits(settings),
    upstream(settings),
    refusingServer(settings),
    applicationServer(settings),
    redirectServer(settings),
    statusServer(settings),
  ];
  return `# Written by Understudy; changes here are overwritten by the next \`up\`.

daemon off;
pid ${quoted(`${settings.folder}/nginx.pid`)};
error_log stderr warn;
worker_processes ${settings.workerProcesses};
worker_rlimit_nofile ${settings.workerConnections * 2};
worker_shutdown_timeout 5s;

events {
    worker_connections ${settings.workerConnections};
}

http {
${indented(http.join("\n\n"))}
}
`;
}
