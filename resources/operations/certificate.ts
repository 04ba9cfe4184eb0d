import { endsSoon } from "../../engine/tls/renewal.ts";
import { operationsOf } from "../operations.ts";

export interface CertificateInputs {
  readonly days: number;
  /** Raise it for another one. */
  readonly revision: number;
}

export interface CertificateOutputs {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly notAfter: string;
}

export const operations = operationsOf<CertificateInputs, CertificateOutputs>({
  updateOn: ["days", "revision"],
  stale: ({ notAfter }) => endsSoon(notAfter),
  async create({ days }) {
    const { createCertificate } = await import("../../engine/tls/certificate.ts");
    const { certificatePem, keyPem, notAfter, fingerprint256 } = await createCertificate({ days });
    return { id: fingerprint256, outputs: { certificatePem, keyPem, notAfter } };
  },
  async read(_id, { certificatePem, keyPem, notAfter }) {
    return { certificatePem, keyPem, notAfter };
  },
});
