/** In the service's folder; read once, when the cluster is made. */
export const adminPasswordFile = "admin-password";

/** Settings of a server in a container: every address of its own network, a socket for `docker exec`. */
export function postgresSettings(given: Readonly<Record<string, string>>, port: number): Readonly<Record<string, string>> {
  return { listen_addresses: "*", port: String(port), unix_socket_directories: "/run/postgresql", ...given };
}

/** A word for a shell. */
const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/**
 * The script that a container with PostgreSQL begins with: makes the cluster, with SCRAM passwords for every connection, unless it is
 * there, then becomes the server. Made under another name and renamed when whole, so that a killed container leaves nothing that looks finished.
 */
export function postgresStart(input: {
  readonly dataFolder: string;
  readonly adminUser: string;
  readonly configFolder: string;
  readonly settings: Readonly<Record<string, string>>;
}): string {
  const { dataFolder, adminUser, configFolder, settings } = input;
  const folder = quoted(dataFolder);
  const draft = quoted(`${dataFolder}.draft`);
  const options = Object.entries(settings).map(([name, value]) => `-c ${quoted(`${name}=${value}`)}`);
  return `#!/bin/sh
set -eu
umask 077
if [ ! -s ${folder}/PG_VERSION ]; then
  rm -rf ${draft}
  initdb -D ${draft} -U ${quoted(adminUser)} --pwfile=${quoted(`${configFolder}/${adminPasswordFile}`)} --auth=scram-sha-256 -E UTF8 --locale=C.UTF-8 --data-checksums --no-sync
  printf 'host all all all scram-sha-256\\nhost replication all all scram-sha-256\\n' >> ${draft}/pg_hba.conf
  mv ${draft} ${folder}
fi
exec postgres -D ${folder} ${options.join(" ")}
`;
}
