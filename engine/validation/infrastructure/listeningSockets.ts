import { readFile } from "node:fs/promises";

export interface ListeningSocket {
  /** As people write it: `127.0.0.1`, `::1`, `0.0.0.0`. */
  readonly address: string;
  readonly port: number;
}

const listening = "0A";

/** Every TCP socket of this machine that listens, from the kernel's own tables. */
export async function listeningSockets(): Promise<ListeningSocket[]> {
  const [four, six] = await Promise.all([
    readFile("/proc/net/tcp", "utf8"),
    readFile("/proc/net/tcp6", "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    }),
  ]);
  return [...parseSockets(four), ...parseSockets(six)];
}

/** Parses a table of `/proc/net/tcp` or `tcp6`: addresses are hex, each 32-bit word in the machine's (little-endian) order. */
export function parseSockets(table: string): ListeningSocket[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      const [address, port] = local.split(":");
      if (state !== listening || address === undefined || port === undefined) return [];
      return [{ address: readAddress(address), port: Number.parseInt(port, 16) }];
    });
}

function readAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  const mapped = /^0{20}f{4}/i.test(bytes.join(""));
  if (mapped) return bytes.slice(12).map((byte) => Number.parseInt(byte, 16)).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => `${bytes[2 * index]}${bytes[2 * index + 1]}`);
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
