import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderNginxConf, type NginxInput } from "../../../components/proxy/nginx-conf.ts";
import { htmlText, quoted } from "../../../components/proxy/nginx-text.ts";

const input: NginxInput = {
  folder: "/var/stack/nginx",
  httpsPort: 8080,
  httpPort: 8081,
  statusPort: 8082,
  listenHosts: ["127.0.0.1", "[::1]"],
  publicHost: "localhost",
  certificateFile: "/var/stack/tls/certificate.pem",
  keyFile: "/var/stack/tls/key.pem",
  upstreams: [{ host: "127.0.0.1", port: 3001 }],
  staticFolder: "/var/stack/static",
  maintenanceFlagFile: "/var/stack/maintenance.on",
  accessLog: "/var/stack/logs/access.log",
  bannerText: "Masked data",
};

describe("renderNginxConf", () => {
  test("is pure", () => {
    expect(renderNginxConf(input)).toBe(renderNginxConf(structuredClone(input)));
  });

  test("holds document 004's log format to the letter", () => {
    const document = `log_format staging '$time_iso8601 [STAGING] $remote_addr "$request" $status '
                  '$request_time $upstream_response_time "$http_user_agent"';`;
    expect(unindented(renderNginxConf(input))).toContain(unindented(document));
  });

  test("add_header stands at the http level only, or nginx would drop the others where it does not", () => {
    const depths = depthOf(renderNginxConf(input), "add_header");
    expect(depths.length).toBeGreaterThan(10);
    expect(new Set(depths)).toEqual(new Set([1]));
  });

  test("listens where it is told and nowhere else", () => {
    const listens = [...renderNginxConf(input).matchAll(/^\s*listen (.*);$/gm)].map(([, value]) => value);
    expect(listens).toEqual([
      "127.0.0.1:8080 ssl http2 default_server",
      "[::1]:8080 ssl http2 default_server",
      "127.0.0.1:8080 ssl http2",
      "[::1]:8080 ssl http2",
      "127.0.0.1:8081 default_server",
      "[::1]:8081 default_server",
      "127.0.0.1:8082",
    ]);
  });

  test("writes only inside its folder and to its access log", () => {
    const written = [...renderNginxConf(input).matchAll(/^\s*(?:pid|\w+_temp_path|access_log) "([^"]+)"/gm)].map(([, path]) => path);
    expect(written).toHaveLength(7);
    expect(written.filter((path) => !path?.startsWith("/var/stack/nginx/"))).toEqual(["/var/stack/logs/access.log"]);
  });

  test("redirects to the published port, left out when it is HTTPS' own", () => {
    expect(renderNginxConf({ ...input, publicHttpsPort: 8443 })).toContain("return 308 https://$public_host:8443$request_uri;");
    expect(renderNginxConf({ ...input, publicHttpsPort: 443 })).toContain("return 308 https://$public_host$request_uri;");
  });

  test("names every wrong value at once", () => {
    const wrong = {
      ...input,
      folder: "relative",
      keyFile: "/keys/$host.pem",
      httpsPort: 0,
      httpPort: 8082,
      upstreams: [],
      publicHost: "local host;",
      signInPaths: ["sign-in"],
      environment: "stag\ning",
      maxBodyBytes: 0.5,
    };
    expect(() => renderNginxConf(wrong)).toThrowError(
      /9 wrong value\(s\): folder "relative".*keyFile.*httpsPort 0.*must differ.*upstreams.*publicHost.*"sign-in".*environment.*maxBodyBytes 0\.5/s,
    );
  });

  test("no text of the banner can leave its quotes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (bannerText) => {
        const banner = [...renderNginxConf({ ...input, bannerText }).matchAll(/^ *sub_filter '<\/body>' '([^']*)<\/body>';$/gm)];
        expect(banner).toHaveLength(1);
        expect(banner[0]?.[1]).not.toMatch(/\$|\\$/);
      }),
    );
  });
});

describe("text for nginx", () => {
  test("a quoted word reads back as it was", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const inner = quoted(value).slice(1, -1);
        expect(inner.replaceAll(/\\(["\\])/g, "$1")).toBe(value);
        expect(inner.replaceAll(/\\["\\]/g, "")).not.toMatch(/["\\]/);
      }),
    );
  });

  test("HTML text holds neither markup nor variables", () => {
    expect(htmlText(`<b>"$HOME" & 'x'</b>\n`)).toBe("&lt;b&gt;&quot;&#36;HOME&quot; &amp; &#39;x&#39;&lt;/b&gt; ");
  });
});

function unindented(text: string): string {
  return text.replaceAll(/^ +/gm, "");
}

/** How deep in braces each line that starts with `word` stands. */
function depthOf(text: string, word: string): number[] {
  let depth = 0;
  const found: number[] = [];
  for (const line of text.split("\n")) {
    if (line.trim().startsWith(`${word} `)) found.push(depth);
    if (line.endsWith("{")) depth += 1;
    if (/^\s*\}$/.test(line)) depth -= 1;
  }
  expect(depth).toBe(0);
  return found;
}

test("nothing Pulumi is imported", () => {
  for (const name of ["nginx-conf", "nginx-http", "nginx-input", "nginx-pages", "nginx-servers", "nginx-text"]) {
    expect(readFileSync(new URL(`../../../components/proxy/${name}.ts`, import.meta.url), "utf8")).not.toContain("@pulumi/");
  }
});
