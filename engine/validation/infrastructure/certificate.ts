import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect, type PeerCertificate } from "node:tls";
import type { ValidationCheck } from "../check.ts";
import { failed, passed, verdict } from "../outcome.ts";

const dayMs = 86_400_000;
const leastDaysLeft = 30;
const wholeDays = 365;
const names = ["localhost"];
const addresses = ["127.0.0.1", "::1"];

export const certificateValid: ValidationCheck = {
  id: "infrastructure.certificate",
  category: "infrastructure",
  title: "The certificate is valid for localhost, and for long enough",
  severity: "error",
  quick: true,
  run: async ({ target }) => {
    const certificate = new X509Certificate(await readFile(target.certificateFile));
    const [from, to] = [certificate.validFromDate, certificate.validToDate].map((date) => date.getTime()) as [number, number];
    const now = Date.now();
    const daysLeft = (to - now) / dayMs;
    const totalDays = (to - from) / dayMs;
    const problems = [
      ...(from > now ? [`it is not valid before ${certificate.validFromDate.toISOString()}`] : []),
      ...(daysLeft <= leastDaysLeft ? [`${daysLeft < 0 ? "it ended" : "it ends"} on ${certificate.validToDate.toISOString().slice(0, 10)}, ${daysLeft.toFixed(1)} days from now`] : []),
      ...(Math.abs(totalDays - wholeDays) > 1 ? [`it is valid for ${totalDays.toFixed(0)} days in all, not ${wholeDays}`] : []),
      ...names.filter((name) => certificate.checkHost(name) === undefined).map((name) => `it is not for ${name}`),
      ...addresses.filter((address) => certificate.checkIP(address) === undefined).map((address) => `it is not for ${address}`),
    ];
    return verdict(problems, {
      count: 1,
      evidence: `${Math.floor(daysLeft)} days left of ${Math.round(totalDays)}; for ${[...names, ...addresses].join(", ")}`,
      remedy: "Run `understudy up`, which renews it; or delete the file first.",
      details: { notBefore: certificate.validFromDate.toISOString(), notAfter: certificate.validToDate.toISOString(), fingerprint256: certificate.fingerprint256, daysLeft: Math.floor(daysLeft) },
    });
  },
};

export const certificateServed: ValidationCheck = {
  id: "infrastructure.certificate-served",
  category: "infrastructure",
  title: "The proxy serves the stack's own certificate",
  severity: "error",
  quick: false,
  run: async ({ target, signal }) => {
    const own = new X509Certificate(await readFile(target.certificateFile)).fingerprint256;
    const served = (await peerCertificate(target.httpsUrl, signal)).fingerprint256;
    if (served === own) return passed(`the served certificate is the file's: SHA-256 ${own.slice(0, 23)}…`);
    return failed(
      `the proxy serves ${served.slice(0, 23)}…, ${target.certificateFile} holds ${own.slice(0, 23)}…`,
      "Reload the proxy: it still holds an older certificate, or another server has taken its port.",
    );
  },
};

function peerCertificate(url: string, signal: AbortSignal): Promise<PeerCertificate> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    // Accepted whatever it is: looking at it is the point.
    const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ""), port: Number(port || 443), servername: "localhost", rejectUnauthorized: false });
    const onAbort = () => socket.destroy(new Error("no TLS handshake in time"));
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => signal.removeEventListener("abort", onAbort));
  });
}
