import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createCertificate } from "../../../engine/tls/certificate.ts";

const now = new Date("2026-03-01T12:00:00Z");
const after = (days: number): Date => new Date(now.getTime() + days * 86_400_000);

describe("createCertificate", () => {
  test("is a server's certificate for the loopback, for 365 days, that Node itself accepts", async () => {
    const made = await createCertificate({ now });
    const read = new X509Certificate(made.certificatePem);
    expect(read.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(new Date(read.validFrom)).toEqual(now);
    expect(new Date(read.validTo)).toEqual(after(365));
    expect(made.notAfter).toBe("2027-03-01T12:00:00.000Z");
    expect(made.fingerprint256).toBe(read.fingerprint256);
    expect(read.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    expect(read.checkPrivateKey(createPrivateKey(made.keyPem))).toBe(true);
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(read.ca).toBe(false);
    expect([read.checkHost("localhost"), read.checkHost("example.org"), read.checkIP("::1")]).toEqual(["localhost", undefined, "::1"]);
  });

  test("takes other names", async () => {
    const { certificatePem } = await createCertificate({ dnsNames: ["a.test", "b.test"], ipAddresses: [] });
    expect(new X509Certificate(certificatePem).subjectAltName).toBe("DNS:a.test, DNS:b.test");
  });

  test("no two share a key or a serial number", async () => {
    const [a, b] = [await createCertificate({ now }), await createCertificate({ now })];
    expect(a.keyPem).not.toBe(b.keyPem);
    expect(new X509Certificate(a.certificatePem).serialNumber).not.toBe(new X509Certificate(b.certificatePem).serialNumber);
  });
});
