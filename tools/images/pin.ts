import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, messageOf, UnderstudyError } from "../../engine/errors.ts";

/** Where every image stands, with its digest. */
export const imagesFile = join(import.meta.dirname, "..", "..", "platforms", "docker", "images.json");

/** Indexes first: the digest has to hold for every architecture. */
const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

export interface ImagePlace {
  /** Base URL of the registry. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/** `postgres:15-alpine` is `library/postgres` of Docker's registry; a first part with a dot or a port is another registry. */
export function placeOf(reference: string): ImagePlace {
  const [, name = "", tag = ""] = /^(.+):([^:/]+)$/.exec(reference) ?? [];
  const [first = "", ...rest] = name.split("/");
  if (rest.length > 0 && /[.:]|^localhost$/.test(first)) return { registry: `https://${first}`, repository: rest.join("/"), tag };
  return { registry: "https://registry-1.docker.io", repository: rest.length === 0 ? `library/${name}` : name, tag };
}

/** What a registry asks for instead of a manifest: `Bearer realm="…",service="…",scope="…"`. */
function challengeOf(header: string): URL | undefined {
  const fields = Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]));
  const { realm, ...query } = fields;
  if (!header.startsWith("Bearer ") || realm === undefined) return undefined;
  const url = new URL(realm);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return url;
}

/**
 * Asks a registry what a tag points to now, anonymously.
 * @throws UnderstudyError (exit 3) when it cannot be asked, or says no digest.
 */
export async function resolveDigest({ registry, repository, tag }: ImagePlace, ask: typeof fetch = fetch): Promise<string> {
  const url = `${registry}/v2/${repository}/manifests/${tag}`;
  const head = (token?: string) => ask(url, { method: "HEAD", headers: { accept: manifestTypes, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } });
  try {
    const first = await head();
    const answer = first.status === 401 ? await head(await tokenFor(first, ask)) : first;
    const digest = answer.headers.get("docker-content-digest") ?? "";
    if (answer.status === 200 && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
    throw new Error(`it answered ${answer.status}${digest === "" ? " without a digest" : ` and "${digest}"`}`);
  } catch (cause) {
    throw new UnderstudyError(`What ${repository}:${tag} points to cannot be asked of ${registry}: ${messageOf(cause)}.`, { exitCode: exitCode.provisioning, cause });
  }
}

async function tokenFor(refusal: Response, ask: typeof fetch): Promise<string> {
  const url = challengeOf(refusal.headers.get("www-authenticate") ?? "");
  if (url === undefined) throw new Error("it wants a sign-in that is not anonymous");
  const { token, access_token: other } = (await (await ask(url)).json()) as { token?: string; access_token?: string };
  return token ?? other ?? "";
}

interface Pinned {
  readonly tag: string;
  readonly digest?: string;
}

export interface PinResult {
  readonly name: string;
  readonly tag: string;
  readonly before: string | undefined;
  readonly digest: string;
}

/**
 * Writes the digest of every tag into the file with the images.
 * @throws UnderstudyError (exit 3) for the first that cannot be resolved: then nothing is written.
 */
export async function pinImages(file: string = imagesFile, ask: typeof fetch = fetch): Promise<PinResult[]> {
  const images = JSON.parse(await readFile(file, "utf8")) as Record<string, Pinned>;
  const results: PinResult[] = [];
  for (const [name, { tag, digest: before }] of Object.entries(images)) results.push({ name, tag, before, digest: await resolveDigest(placeOf(tag), ask) });
  const digests = new Map(results.map(({ name, digest }) => [name, digest]));
  // Tag and digest first, as people read them.
  const pinned = Object.fromEntries(Object.entries(images).map(([name, { tag, ...rest }]) => [name, { tag, ...rest, digest: digests.get(name) }]));
  await writeFile(file, `${JSON.stringify(pinned, null, 2)}\n`);
  return results;
}
