import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { imageNames, type ImageName } from "../../engine/docker/imageNames.ts";
import type { ExporterKind, Program } from "../spec.ts";

export type { ImageName } from "../../engine/docker/imageNames.ts";

const account = z.strictObject({ uid: z.int().min(1), gid: z.int().min(0) });

const pinnedImage = z.strictObject({
  /** As people name it: repository and tag. */
  tag: z.string().regex(/^[a-z0-9./_-]+:[A-Za-z0-9_.-]+$/).refine((tag) => !tag.endsWith(":latest"), "must name a version"),
  /** What is pulled, whatever the tag points to by then: the index of all architectures. Without one, `tools/images/main.ts pin` asks the registry. */
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/).optional(),
  /** Account that the image is made for; it owns the folder of `data`. */
  user: account,
  /** Where it keeps what must survive a restart. */
  data: z.string().startsWith("/").optional(),
});
export type PinnedImage = z.infer<typeof pinnedImage>;

/** @throws ZodError that names what is wrong in the file with the images. */
export function parseImages(text: string): Readonly<Record<ImageName, PinnedImage>> {
  return z.record(z.enum(imageNames), pinnedImage).parse(JSON.parse(text));
}

/**
 * Every image, by its digest. No registry could be asked where the file was written: each digest in it was found with its tag in two or more
 * public source files that pin the same (November 2026); a wrong one cannot be pulled, and `up` says so.
 */
export const pinnedImages = parseImages(readFileSync(join(import.meta.dirname, "images.json"), "utf8"));

const exporterImages: Readonly<Record<ExporterKind, ImageName>> = {
  node: "nodeExporter",
  postgres: "postgresExporter",
  redis: "redisExporter",
  nginx: "nginxExporter",
};

/** The image that a program runs in. */
export function imageOf(program: Program): ImageName {
  switch (program.kind) {
    case "node-app":
    case "command":
      return "node";
    case "exporter":
      return exporterImages[program.exporter];
    default:
      return program.kind;
  }
}

/** What is pulled where it is missing: the configuration's own, else tag and digest. */
export function imageReference(name: ImageName, own: Readonly<Partial<Record<ImageName, string>>> = {}): string {
  const { tag, digest } = pinnedImages[name];
  return own[name] ?? (digest === undefined ? tag : `${tag}@${digest}`);
}
