import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { CertificateInputs } from "./operations/certificate.ts";
import { DynamicResource } from "./provider.ts";

/** A self-signed certificate for loopback, made anew when under 30 days are left. */
export class Certificate extends DynamicResource {
  declare readonly certificatePem: Output<string>;
  declare readonly keyPem: Output<string>;
  declare readonly notAfter: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof CertificateInputs]: Input<CertificateInputs[Key]> }, opts?: CustomResourceOptions) {
    super("Certificate", "certificate", name, { ...args, certificatePem: undefined, keyPem: undefined, notAfter: undefined }, { ...opts, additionalSecretOutputs: ["keyPem"] });
  }
}
