import { poolChoice, poolOf } from "./nginx-http.ts";
import { publicPort, type NginxSettings } from "./nginx-input.ts";
import { bannerElement, errorPageHtml, errorPageJson, maintenanceJson, ownPaths, proxyStyles } from "./nginx-pages.ts";
import { indented, quoted } from "./nginx-text.ts";

/** A web page elsewhere must not reach staging by pointing its own name at the loopback address. */
export function refusingServer(settings: NginxSettings): string {
  return `# Any host that is not ours.
server {
${indented(listen(settings, settings.httpsPort, "ssl http2 default_server"))}
    server_name _;
    return 421;
}`;
}

/** The app, its assets and the pages of nginx. */
export function applicationServer(settings: NginxSettings): string {
  return `server {
${indented(listen(settings, settings.httpsPort, "ssl http2"))}
    server_name ${settings.serverNames.join(" ")};

    sub_filter_once on;
    sub_filter '</head>' '<link rel="stylesheet" href="${ownPaths.styles}"></head>';
    sub_filter '</body>' '${bannerElement(settings.environment, settings.bannerText)}</body>';
${indented(poolChoice(settings))}

    location / {
        if (-f ${quoted(settings.maintenanceFlagFile)}) {
            return 503;
        }
        limit_req zone=pages burst=${settings.rateLimits.pagesBurst} nodelay;
        limit_req zone=sign_in burst=${settings.rateLimits.signInBurst} nodelay;
        proxy_pass ${poolOf(settings)};
    }

    # The app's own health, in maintenance mode too.
    location = ${settings.healthPath} {
        proxy_pass ${poolOf(settings)};
    }

${indented(settings.internalPaths.map((path) => `location = ${path} {\n    return 404;\n}`).join("\n"))}

    location /static/ {
        alias ${quoted(`${settings.staticFolder}/`)};
        disable_symlinks on from=${quoted(settings.staticFolder)};
        location ~ /\\. {
            return 404;
        }
    }

    location = /robots.txt {
        default_type text/plain;
        return 200 "User-agent: *\\nDisallow: /\\n";
    }

${indented(ownLocations(settings.maintenancePage))}
}`;
}

function ownLocations(maintenancePage: string): string {
  return `location = /nginx-health {
    access_log off;
    default_type text/plain;
    return 200 "ok\\n";
}
location = ${ownPaths.styles} {
    access_log off;
    default_type text/css;
    return 200 "${proxyStyles}";
}
location = ${ownPaths.maintenancePage}.html {
    internal;
    alias ${quoted(maintenancePage)};
}
location = ${ownPaths.maintenancePage}.json {
    internal;
    default_type application/json;
    return 200 '${maintenanceJson}';
}
location = ${ownPaths.errorPage}.html {
    internal;
    default_type text/html;
    return 200 '${errorPageHtml}';
}
location = ${ownPaths.errorPage}.json {
    internal;
    default_type application/json;
    return 200 '${errorPageJson}';
}`;
}

/** HTTP: redirects to HTTPS and nothing else. */
export function redirectServer(settings: NginxSettings): string {
  return `server {
${indented(listen(settings, settings.httpPort, "default_server"))}
    server_name _;
    return 308 https://$public_host${publicPort(settings)}$request_uri;
}`;
}

/** `/stub_status` for the exporter, on a port of its own. */
export function statusServer(settings: NginxSettings): string {
  return `# For the exporter.
server {
    listen ${settings.statusHost}:${settings.statusPort};
    server_name 127.0.0.1 localhost;
    access_log off;
    location = /stub_status {
        stub_status;
    }
    location = /nginx-health {
        default_type text/plain;
        return 200 "ok\\n";
    }
    location / {
        return 404;
    }
}`;
}

function listen(settings: NginxSettings, port: number, parameters: string): string {
  return settings.listenHosts.map((host) => `listen ${host}:${port} ${parameters};`).join("\n");
}
