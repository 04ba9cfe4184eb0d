import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Whom the app runs as when the stack is made by root. When it is made by anyone else, everything runs as the caller. */
export const appUser = "understudy";

/** Whether an account stands in a passwd file's text. */
export function hasAccount(passwd: string, name: string): boolean {
  return passwd.split("\n").some((line) => line.startsWith(`${name}:`));
}

/** Whether the app's user has to be made: only root can, and only root needs it. */
export function appUserIsMissing(): boolean {
  return process.getuid?.() === 0 && !hasAccount(readFileSync("/etc/passwd", "utf8"), appUser);
}

/** Makes the app's user: a system account without home, shell or password. */
export function createAppUser(): void {
  execFileSync("useradd", [
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir=/nonexistent",
    "--shell=/usr/sbin/nologin",
    appUser,
  ]);
}
