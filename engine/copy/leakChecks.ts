import type { Client } from "pg";
import type { CheckResult } from "../report/check.ts";
import { mailDomain } from "../masking/identityMasks.ts";
import { runCheck } from "./checkRun.ts";
import type { LeakProbes } from "./leakProbes.ts";
import { scanForLeaks } from "./leakScan.ts";
import type { LeakScan } from "./leakScan.ts";
import type { Leak } from "./leakSearch.ts";

/** Reads the whole database once for two proofs: no original of a masked column, no email but staging's own. */
export async function checkForLeaks(clients: readonly Client[], probes: LeakProbes): Promise<CheckResult[]> {
  let reading: Promise<LeakScan> | undefined;
  const scan = (): Promise<LeakScan> => (reading ??= scanForLeaks(clients, probes));
  const originals = await runCheck(
    {
      id: "copy.leak-scan",
      title: "No original of a masked column is anywhere in the copy",
      remedy: "Mask the column it stands in, in masking.yaml.",
    },
    async () => {
      const { originals: leaks, columns, values, byChance } = await scan();
      const passed = byChance === 0 ? "" : `; ${byChance} numbers are an original's digits, no more than chance explains`;
      const looked = `${probes.originals.size} originals of ${probes.probed.length} columns looked for in ${values} values of ${columns} columns${passed}`;
      return { holds: leaks.length === 0, evidence: leaks.length === 0 ? looked : `${describe(leaks)} (${looked})` };
    },
  );
  const emails = await runCheck(
    {
      id: "copy.email-domain",
      title: `Every email address ends in @${mailDomain}`,
      remedy: "Mask the column, or for text that is about nobody use redact, in masking.yaml.",
    },
    async () => {
      const { emails: leaks, columns } = await scan();
      return { holds: leaks.length === 0, evidence: leaks.length === 0 ? `all texts of ${columns} columns read` : describe(leaks) };
    },
  );
  return [originals, emails];
}

function describe(leaks: readonly Leak[]): string {
  return leaks
    .map(({ place, origin, rows }) => `${place}: ${rows} row(s) with ${origin === undefined ? "other email addresses" : `originals of ${origin}`}`)
    .join("; ");
}
