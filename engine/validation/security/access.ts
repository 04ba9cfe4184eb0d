import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { ValidationCheck } from "../check.ts";
import { skipped, verdict } from "../outcome.ts";
import { elsewhere } from "../infrastructure/services.ts";

export const cookieFlags: ValidationCheck = {
  id: "security.cookie-flags",
  category: "security",
  title: "The session's cookie is HttpOnly, Secure and SameSite",
  severity: "error",
  quick: true,
  run: async (context) => {
    const { setCookie } = await context.signedIn();
    const attributes = setCookie.split(";").slice(1).map((attribute) => attribute.trim().toLowerCase());
    const problems = [
      ...(attributes.includes("httponly") ? [] : ["scripts can read it: HttpOnly is missing"]),
      ...(attributes.includes("secure") ? [] : ["it goes over HTTP too: Secure is missing"]),
      ...(attributes.some((attribute) => /^samesite=(lax|strict)$/.test(attribute)) ? [] : ["other sites' requests carry it: SameSite is neither Lax nor Strict"]),
    ];
    return verdict(problems, { count: 1, evidence: attributes.join("; "), remedy: "Set the missing attributes where the application makes the cookie." });
  },
};

const denied = (status: number, location: string | undefined): boolean =>
  status === 401 || status === 403 || ([302, 303, 307].includes(status) && location !== undefined);

export const protectedRoutes: ValidationCheck = {
  id: "security.protected-routes",
  category: "security",
  title: "What needs a session is denied without one",
  severity: "error",
  quick: true,
  run: async ({ target, requirements, http, signal }) => {
    const paths = new Set([...requirements.routes.filter(({ signedIn }) => signedIn).map(({ path }) => path), ...(requirements.dashboard === undefined ? [] : [requirements.dashboard.path])]);
    const forgery = { cookie: `${requirements.signIn.cookie}=forged.forged` };
    const tries = [false, true].flatMap((forged) => [...paths].map((path) => ({ path, forged })));
    const answers = await Promise.all(
      tries.map(async ({ path, forged }) => ({
        path,
        forged,
        answer: await http.send(new URL(path, target.httpsUrl).href, { headers: forged ? forgery : {}, signal }),
      })),
    );
    const problems = answers
      .filter(({ answer }) => !denied(answer.status, answer.headers["location"]?.toString()))
      .map(({ path, forged, answer }) => `${path} answered ${answer.status} ${forged ? "with a forged session" : "without a session"}`);
    return verdict(problems, {
      count: answers.length,
      evidence: `${[...paths].join(", ")}: denied without a session, and with a forged one`,
      remedy: "Ask for the session before anything of the route is done.",
    });
  },
};

export const secretFilesPrivate: ValidationCheck = {
  id: "security.secret-files",
  category: "security",
  title: "Files with secrets are for their owner alone",
  severity: "error",
  quick: true,
  run: async ({ target }) => {
    const files = target.services.flatMap(({ name, secretFiles }) => secretFiles.map((file) => ({ name, file })));
    if (files.length === 0) return elsewhere(target) ?? skipped("no service keeps a secret in a file of this machine", "Secrets belong to the platform.");
    const problems = await Promise.all(
      files.map(async ({ name, file }) => {
        const mode = (await stat(file)).mode & 0o777;
        // An owner may hold less than 0600, never another more. A container's user is another account than the caller's:
        // there it may be the folder above that is closed.
        return (mode & 0o177) === 0 || (target.platform === "docker" && (await isBehindClosedFolder(file))) ? [] : [`${name}: ${file} has mode 0${mode.toString(8)}`];
      }),
    );
    return verdict(problems.flat(), { count: files.length, evidence: `${files.length} files, each for its owner alone`, remedy: "chmod 600 the file; then change the secret, for others could read it." });
  },
};

/** Whether a folder on the way to a file lets nobody but its owner through. */
async function isBehindClosedFolder(path: string): Promise<boolean> {
  const folder = dirname(path);
  if (folder === path) return false;
  return ((await stat(folder)).mode & 0o077) === 0 || isBehindClosedFolder(folder);
}
