import { lookup } from "node:dns/promises";
import { exitCode, UnderstudyError } from "../errors.ts";

const loopbackAddress = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/;

/**
 * Holds that a URL leads to this machine: load is never sent anywhere else.
 * @throws UnderstudyError (exit 2)
 */
export async function requireLoopback(url: string): Promise<URL> {
  const refuse = (why: string): never => {
    throw new UnderstudyError(`No load is sent to ${url}: ${why}.`, { exitCode: exitCode.usage, remedy: "Load goes to stacks on this machine alone: localhost, 127.0.0.0/8 or [::1]." });
  };
  if (!URL.canParse(url)) return refuse("it is no URL");
  const parsed = new URL(url);
  if (!["http:", "https:"].includes(parsed.protocol)) return refuse(`${parsed.protocol} is neither http nor https`);
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  if (loopbackAddress.test(host)) return parsed;
  if (host !== "localhost") return refuse("it is another machine");
  const addresses = await lookup(host, { all: true });
  const elsewhere = addresses.filter(({ address }) => !loopbackAddress.test(address));
  return elsewhere.length > 0 ? refuse(`localhost is ${elsewhere[0]?.address} here`) : parsed;
}
