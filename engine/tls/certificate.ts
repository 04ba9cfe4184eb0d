import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const dayMs = 86_400_000;

export interface CertificateOptions {
  /** Days of validity from `now`. Default 365. */
  readonly days?: number;
  /** Default the present. */
  readonly now?: Date;
  /** DNS names. Default `localhost`. */
  readonly dnsNames?: readonly string[];
  /** IP addresses. Default `127.0.0.1` and `::1`. */
  readonly ipAddresses?: readonly string[];
}

export interface Certificate {
  readonly certificatePem: string;
  /** PKCS#8; a secret. */
  readonly keyPem: string;
  /** ISO 8601, UTC. */
  readonly notAfter: string;
  /** SHA-256 of the certificate's DER: upper-case hex pairs with colons, as browsers and openssl show it. */
  readonly fingerprint256: string;
}

/** Makes a self-signed server certificate, ECDSA P-256, with subject alternative names for the loopback. */
export async function createCertificate(options: CertificateOptions = {}): Promise<Certificate> {
  const { days = 365, now = new Date(), dnsNames = ["localhost"], ipAddresses = ["127.0.0.1", "::1"] } = options;
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  // X.509 counts whole seconds.
  const notBefore = new Date(Math.floor(now.getTime() / 1000) * 1000);
  const notAfter = new Date(notBefore.getTime() + days * dayMs);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: Buffer.from(serialNumber()).toString("hex"),
      name: [{ CN: [dnsNames[0] ?? "localhost"] }, { O: ["Understudy staging"] }],
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          ...dnsNames.map((value) => ({ type: "dns" as const, value })),
          ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
        ]),
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    certificatePem: `${certificate.toString("pem").trim()}\n`,
    keyPem: `${x509.PemConverter.encode(key, "PRIVATE KEY").trim()}\n`,
    notAfter: notAfter.toISOString(),
    fingerprint256: await fingerprintOf(certificate),
  };
}

async function fingerprintOf(certificate: x509.X509Certificate): Promise<string> {
  const digest = Buffer.from(await webcrypto.subtle.digest("SHA-256", certificate.rawData));
  return digest.toString("hex").toUpperCase().replaceAll(/..(?=.)/g, "$&:");
}

/** 128 random bits, positive and not zero as X.509 asks. */
function serialNumber(): Uint8Array {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes;
}
