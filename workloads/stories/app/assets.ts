import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { FastifyInstance } from "fastify";
import { notFound } from "./problem.ts";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
};

/** The shared assets. The proxy serves them; this does for people who reach the app directly. */
export class Assets {
  readonly #files = new Map<string, { content: Buffer; type: string; version: string }>();

  /** Reads the folder once; without one, assets are known by name only. */
  constructor(folder: string | undefined) {
    if (folder === undefined) return;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const type = types[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const content = readFileSync(join(folder, entry.name));
      this.#files.set(entry.name, { content, type, version: createHash("sha256").update(content).digest("hex").slice(0, 12) });
    }
  }

  address(name: string): string {
    const version = this.#files.get(name)?.version;
    return version === undefined ? `/static/${name}` : `/static/${name}?v=${version}`;
  }

  serve(app: FastifyInstance): void {
    app.get<{ Params: { name: string } }>("/static/:name", async (request, reply) => {
      const file = this.#files.get(request.params.name);
      if (file === undefined) throw notFound();
      return reply.type(file.type).header("cache-control", "public, max-age=300").send(file.content);
    });
  }
}
