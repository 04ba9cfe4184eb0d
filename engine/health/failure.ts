/** Why a probe failed, for a person; without secrets. */
export class ProbeFailure extends Error {
  /** Waiting will not change it: a wrong password, a certificate that does not match. */
  readonly permanent: boolean;

  constructor(detail: string, options: { readonly permanent?: boolean; readonly cause?: unknown } = {}) {
    super(detail, { cause: options.cause });
    this.name = "ProbeFailure";
    this.permanent = options.permanent ?? false;
  }
}
