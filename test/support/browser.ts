import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const executablePath = "/usr/bin/chromium";

/** Why no browser can be had; `undefined` where one can. */
export const noBrowser: string | undefined = existsSync(executablePath) ? undefined : `${executablePath} is not installed`;

/** Debian's Chromium, headless, asking nobody on the network for anything. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}
