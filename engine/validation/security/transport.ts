import { connect, type SecureVersion } from "node:tls";
import type { ValidationCheck } from "../check.ts";
import { headerOf } from "../httpClient.ts";
import { verdict } from "../outcome.ts";

export const httpRedirects: ValidationCheck = {
  id: "security.https-redirect",
  category: "security",
  title: "HTTP redirects to HTTPS, for good",
  severity: "error",
  quick: true,
  run: async ({ target, requirements, http, signal }) => {
    const paths = ["/", requirements.signIn.path, `${requirements.routes[0]?.path ?? "/"}${requirements.routes[0]?.path.includes("?") === true ? "&" : "?"}from=validation`];
    const answers = await Promise.all(paths.map((path) => http.send(new URL(path, target.httpUrl).href, { signal })));
    const problems = answers.flatMap((answer, index) => {
      const wanted = new URL(paths[index] ?? "/", target.httpsUrl);
      const location = headerOf(answer, "location");
      const destination = location !== undefined && URL.canParse(location, answer.url) ? new URL(location, answer.url) : undefined;
      const arrives = destination?.protocol === "https:" && destination.port === wanted.port && destination.pathname + destination.search === wanted.pathname + wanted.search;
      return [
        ...([301, 308].includes(answer.status) ? [] : [`${answer.url} answered ${answer.status}, not 301 or 308`]),
        ...(arrives ? [] : [`${answer.url} leads to ${location ?? "nowhere"}, not to ${wanted.href}`]),
      ];
    });
    return verdict(problems, {
      count: answers.length,
      evidence: `${answers.length} paths answered ${[...new Set(answers.map(({ status }) => status))].join(", ")} to the same path over HTTPS`,
      remedy: "Let the HTTP server of the proxy do nothing but return 308 https://….",
    });
  },
};

const old: readonly SecureVersion[] = ["TLSv1", "TLSv1.1"];
const current: readonly SecureVersion[] = ["TLSv1.2", "TLSv1.3"];

export const tlsVersions: ValidationCheck = {
  id: "security.tls-versions",
  category: "security",
  title: "Only TLS 1.2 and newer is spoken",
  severity: "error",
  quick: true,
  run: async ({ target, signal }) => {
    const [refused, spoken] = await Promise.all([
      Promise.all(old.map((version) => handshake(target.httpsUrl, version, signal))),
      Promise.all(current.map((version) => handshake(target.httpsUrl, version, signal))),
    ]);
    const problems = [
      ...old.filter((_, index) => refused[index]).map((version) => `${version} was accepted`),
      ...(spoken.includes(true) ? [] : [`neither ${current.join(" nor ")} was accepted`]),
    ];
    return verdict(problems, {
      count: old.length,
      evidence: `handshakes tried: ${old.join(" and ")} refused, ${current.filter((_, index) => spoken[index]).join(" and ")} accepted`,
      remedy: "ssl_protocols TLSv1.2 TLSv1.3; in the proxy.",
    });
  },
};

/**
 * Whether the server completes a handshake of exactly this version.
 * @throws when it was not the server that refused: no connection, or a version this client itself cannot speak.
 */
export function handshake(url: string, version: SecureVersion, signal: AbortSignal): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let connected = false;
    const socket = connect({
      host: hostname.replaceAll(/[[\]]/g, ""),
      port: Number(port || 443),
      servername: "localhost",
      minVersion: version,
      maxVersion: version,
      // OpenSSL 3 offers the old versions only at its lowest security level.
      ciphers: "DEFAULT@SECLEVEL=0",
      rejectUnauthorized: false,
    });
    const onAbort = () => socket.destroy(new Error(`no answer to a ${version} handshake in time`));
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => {
      connected = true;
    });
    socket.once("secureConnect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (connected && isRefusal(error)) resolve(false);
      else reject(error);
    });
    socket.once("close", () => signal.removeEventListener("abort", onAbort));
  });
}

/** The server's own alert, its hanging up, or its answering in another version; everything else is trouble on this side. */
function isRefusal({ code = "", message }: NodeJS.ErrnoException): boolean {
  return code === "ECONNRESET" || code === "EPIPE" || /SSL alert number \d+|ssl_choose_client_version/.test(message);
}
