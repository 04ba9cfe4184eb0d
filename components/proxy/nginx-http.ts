import { publicPort, type NginxSettings, type NginxUpstream } from "./nginx-input.ts";
import { ownPaths, proxyErrors, type ProxyError } from "./nginx-pages.ts";
import { indented, quoted } from "./nginx-text.ts";

/** Where nginx writes, its timeouts, sizes and file types. */
export function basics(settings: NginxSettings): string {
  const temp = (name: string): string => quoted(`${settings.folder}/temp-${name}`);
  return `# Everything nginx writes is in its own folder, so that no privilege is needed.
client_body_temp_path ${temp("body")};
proxy_temp_path ${temp("proxy")};
fastcgi_temp_path ${temp("fastcgi")};
uwsgi_temp_path ${temp("uwsgi")};
scgi_temp_path ${temp("scgi")};

server_tokens off;
sendfile on;
tcp_nopush on;
keepalive_timeout 30s;
client_header_timeout 10s;
client_body_timeout 15s;
send_timeout 15s;
reset_timedout_connection on;
client_max_body_size ${settings.maxBodyBytes};
large_client_header_buffers 4 16k;
variables_hash_max_size 2048;

charset utf-8;
charset_types text/css text/plain text/javascript application/json image/svg+xml;
default_type application/octet-stream;
types {
    text/html html;
    text/css css;
    text/plain txt;
    text/javascript js mjs;
    application/json json map;
    application/manifest+json webmanifest;
    image/svg+xml svg;
    image/png png;
    image/jpeg jpg jpeg;
    image/gif gif;
    image/webp webp;
    image/avif avif;
    image/x-icon ico;
    font/woff2 woff2;
    font/woff woff;
    application/pdf pdf;
    video/mp4 mp4;
}`;
}

/** The access log. */
export function logging(settings: NginxSettings): string {
  return `# Document 004's format, to the letter.
log_format staging '$time_iso8601 [STAGING] $remote_addr "$request" $status '
                  '$request_time $upstream_response_time "$http_user_agent"';
access_log ${quoted(settings.accessLog)} staging;`;
}

/** TLS 1.2 and 1.3, forward secrecy only. */
export function tls(settings: NginxSettings): string {
  return `ssl_certificate ${quoted(settings.certificateFile)};
ssl_certificate_key ${quoted(settings.keyFile)};
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
ssl_prefer_server_ciphers off;
ssl_ecdh_curve X25519:prime256v1:secp384r1;
ssl_session_cache shared:tls:2m;
ssl_session_timeout 1d;
ssl_session_tickets off;`;
}

/** Headers of every answer. */
export function headers(settings: NginxSettings): string {
  return `# add_header in a server or location would switch off all of these there. So they are here and nowhere else,
# and what depends on the response goes through a map: an empty value adds no header.
map $https $hsts {
    on "max-age=${settings.hstsMaxAgeSeconds}";
}
map "$status $uri $arg_v" $asset_caching {
    "~^(200|206|304) /static/\\S+ \\w+$" "public, max-age=31536000, immutable";
    "~^(200|206|304) /static/" "public, max-age=300";
}
map "$status $upstream_status" $retry_after {
    "503 " 120;
    "429 " 5;
}
add_header X-Environment ${settings.environment} always;
add_header X-Robots-Tag "noindex, nofollow" always;
add_header Strict-Transport-Security $hsts always;
add_header X-Content-Type-Options nosniff always;
add_header X-Frame-Options DENY always;
add_header Referrer-Policy strict-origin-when-cross-origin always;
add_header Permissions-Policy "camera=(), geolocation=(), microphone=(), payment=(), usb=()" always;
add_header Cross-Origin-Opener-Policy same-origin always;
add_header Cross-Origin-Resource-Policy same-origin always;
add_header Content-Security-Policy ${quoted(settings.contentSecurityPolicy)} always;
add_header Cache-Control $asset_caching always;
add_header Retry-After $retry_after always;`;
}

/** Answers that nginx makes itself. */
export function errors(settings: NginxSettings): string {
  const map = (name: string, value: (error: Omit<ProxyError, "status">) => string): string =>
    `map $status $error_${name} {\n${indented(
      [`default ${quoted(value(fallbackError))};`, ...proxyErrors.map((error) => `${error.status} ${quoted(value(error))};`)].join("\n"),
    )}\n}`;
  return `# Errors that nginx answers itself, as a page for people and as JSON under /api/. The app's own pass through.
map $request_uri $error_format {
    default html;
    ~^/api/ json;
}
${map("code", (error) => error.code)}
${map("title", (error) => error.title)}
${map("advice", (error) => error.advice)}
error_page ${proxyErrors.map((error) => error.status).join(" ")} ${ownPaths.errorPage}.$error_format;
error_page 503 ${ownPaths.maintenancePage}.$error_format;
error_page 497 =308 https://$public_host${publicPort(settings)}$request_uri;
map $host $public_host {
    default ${settings.publicHost};
${indented(settings.serverNames.map((name) => `${quoted(name)} ${quoted(name)};`).join("\n"))}
}`;
}

const fallbackError = { code: "error", title: "Something went wrong", advice: "Try again in a moment." };

export const compression = `gzip on;
gzip_vary on;
gzip_comp_level 5;
gzip_min_length 512;
gzip_proxied any;
gzip_types text/css text/plain text/javascript application/json application/manifest+json image/svg+xml;`;

/** Rate limits by address; `location /` of the application server applies them. */
export function limits({ rateLimits, signInPaths }: NginxSettings): string {
  const pattern = signInPaths.map((path) => path.replaceAll(".", "\\.")).join("|");
  return `# Requests with an empty key are not counted.
map "$request_method $uri" $sign_in_address {
    ${quoted(`~^POST (${pattern})/?$`)} $binary_remote_addr;
}
limit_req_zone $binary_remote_addr zone=pages:1m rate=${rateLimits.pagesPerSecond}r/s;
limit_req_zone $sign_in_address zone=sign_in:1m rate=${rateLimits.signInPerMinute}r/m;
limit_req_status 429;
limit_req_log_level warn;`;
}

/** Instances among which requests are shared out: all, or those that are left while one is drained. */
function pool(name: string, instances: readonly NginxUpstream[]): string {
  const servers = instances.map(({ host, port }) => `server ${host}:${port} max_fails=3 fail_timeout=5s;`);
  return `upstream ${name} {
    zone ${name} 64k;
    least_conn;
${indented(servers.join("\n"))}
    keepalive 32;
    # Below the 5 s after which Node.js closes an idle connection, or a request meets a closing one.
    keepalive_timeout 4s;
}`;
}

/** A pool for each instance that may be drained: all the others. */
function poolsWithoutOne(upstreams: readonly NginxUpstream[]): { readonly name: string; readonly flagFile: string; readonly others: readonly NginxUpstream[] }[] {
  if (upstreams.length < 2) return [];
  return upstreams.flatMap(({ drainFlagFile }, index) =>
    drainFlagFile === undefined ? [] : [{ name: `app_without_${index + 1}`, flagFile: drainFlagFile, others: upstreams.filter((_, other) => other !== index) }],
  );
}

/** Chooses the pool of a request, for a server; `proxy_pass` goes to `poolOf`. */
export function poolChoice({ upstreams }: NginxSettings): string {
  const choices = poolsWithoutOne(upstreams).map(({ name, flagFile }) => `if (-f ${quoted(flagFile)}) {\n    set $app_pool ${name};\n}`);
  return choices.length === 0 ? "" : ["set $app_pool app;", ...choices].join("\n");
}

export function poolOf({ upstreams }: NginxSettings): string {
  return poolsWithoutOne(upstreams).length === 0 ? "http://app" : "http://$app_pool";
}

/** The instances of the app, and what is sent to them. */
export function upstream(settings: NginxSettings): string {
  const pools = [pool("app", settings.upstreams), ...poolsWithoutOne(settings.upstreams).map(({ name, others }) => pool(name, others))];
  return `${pools.join("\n")}
map $http_upgrade $connection_header {
    default upgrade;
    "" "";
}
proxy_http_version 1.1;
proxy_set_header Host $http_host;
proxy_set_header Connection $connection_header;
proxy_set_header Upgrade $http_upgrade;
# Uncompressed, so that the banner can be put in; nginx compresses on the way out.
proxy_set_header Accept-Encoding "";
# nginx is the edge: what a client claims about itself is replaced, not passed on.
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-Port ${settings.publicHttpsPort};
proxy_set_header Forwarded "";
proxy_set_header X-Request-ID $request_id;
proxy_connect_timeout 2s;
proxy_send_timeout 30s;
proxy_read_timeout 30s;
proxy_next_upstream error timeout http_502 http_504;
proxy_next_upstream_tries 3;
proxy_next_upstream_timeout 10s;
${["X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security", "Content-Security-Policy", "X-Powered-By"]
  .map((name) => `proxy_hide_header ${name};`)
  .join("\n")}`;
}
