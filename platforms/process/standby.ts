import { output, type Output } from "@pulumi/pulumi";
import { passwordLine } from "../../engine/process/standby.ts";
import type { ServiceInputs } from "../../resources/operations/service.ts";
import type { StandbyOf } from "../spec.ts";

/** Where a replica finds the password of the role that streams; in its configuration folder. */
export const passwordFile = "replication.pass";

/** A word of a connection string of libpq. */
const quoted = (value: string) => `'${value.replaceAll(/[\\']/g, String.raw`\$&`)}'`;

/** Settings that make a server follow another one. Hold no secret. */
export function standbySettings(
  { host, port, user, slot }: StandbyOf,
  own: { readonly name: string; readonly passwordFile: string },
): Readonly<Record<string, string>> {
  return {
    primary_conninfo: `host=${quoted(host)} port=${port} user=${quoted(user)} application_name=${quoted(own.name)} passfile=${quoted(own.passwordFile)} sslmode=disable`,
    primary_slot_name: slot,
    // Whoever reads here is not cut off because the primary has cleaned up.
    hot_standby_feedback: "on",
  };
}

/** What a service's inputs hold for a replica: the copy it starts from, and the password for what follows. */
export function standbyInputs(
  { host, port, user, slot, password, base }: StandbyOf,
  dataFolder: string,
): { standby: Output<NonNullable<ServiceInputs["standby"]>>; secretFiles: Output<ServiceInputs["secretFiles"]> } {
  const primary = output(password).apply((word) => ({ host, port, user, password: word }));
  return {
    standby: output({ primary, base }).apply((known) => ({ dataFolder, slot, ...known })),
    secretFiles: primary.apply((known) => [{ path: passwordFile, content: passwordLine(known) }]),
  };
}
