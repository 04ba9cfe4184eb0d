/** A certificate with fewer days left is made anew. */
export const renewalDays = 30;

const dayMs = 86_400_000;

/**
 * True when a certificate has under 30 days left, or its end is no date.
 * @param notAfter ISO 8601, as `createCertificate` returns it.
 */
export function endsSoon(notAfter: string, now: Date = new Date()): boolean {
  const leftMs = Date.parse(notAfter) - now.getTime();
  return !(leftMs >= renewalDays * dayMs);
}
