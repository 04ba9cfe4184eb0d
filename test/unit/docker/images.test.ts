import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { imageNames } from "../../../engine/docker/imageNames.ts";
import { imageReference, parseImages, pinnedImages } from "../../../platforms/docker/images.ts";
import { builtTag, debianImages, notInDebian, renderDockerfile } from "../../../tools/images/catalog.ts";
import { imagesFile, pinImages, placeOf } from "../../../tools/images/pin.ts";

const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;

describe("the pinned images", () => {
  it("are one for each name, by version and, where one is known, by digest", () => {
    expect(Object.keys(pinnedImages).sort()).toEqual([...imageNames].sort());
    const unpinned = imageNames.filter((name) => pinnedImages[name].digest === undefined);
    expect(unpinned).toEqual(["pgbouncer", "redisExporter"]);
    expect(imageReference("postgres")).toMatch(/^postgres:15-alpine@sha256:[0-9a-f]{64}$/);
    expect(imageReference("postgres", { postgres: "mirror.example.org/postgres:15" })).toBe("mirror.example.org/postgres:15");
  });

  it.each([
    ["a digest that is none", { digest: "sha256:abc" }],
    ["a tag that moves", { tag: "postgres:latest" }],
    ["no tag", { tag: "postgres" }],
    ["root", { user: { uid: 0, gid: 0 } }],
  ])("refuse %s", (_what, fault) => {
    const images = JSON.parse(readFileSync(imagesFile, "utf8")) as Record<string, object>;
    expect(parseImages(JSON.stringify(images))).toEqual(pinnedImages);
    expect(() => parseImages(JSON.stringify({ ...images, postgres: { ...images["postgres"], ...fault } }))).toThrow(/postgres/);
  });
});

describe("images of Debian's packages", () => {
  it("are every one that Debian has the packages for; the others are named", () => {
    expect([...Object.keys(debianImages), ...Object.keys(notInDebian)].sort()).toEqual([...imageNames].sort());
  });

  it("stand in for the pinned ones: same account, same folder", () => {
    for (const name of imageNames) {
      const image = debianImages[name];
      if (image === undefined) continue;
      const { uid, gid } = image.account ?? { uid: 65_534, gid: 65_534 };
      expect({ name, uid, gid, data: image.data }).toEqual({ name, ...pinnedImages[name].user, data: pinnedImages[name].data });
    }
  });

  it("are made of packages alone, and never run as root", () => {
    for (const image of Object.values(debianImages)) {
      const text = renderDockerfile(image);
      expect(text).toMatch(/^FROM understudy\/base:bookworm\n/);
      expect(text).toMatch(/\nUSER [1-9]\d*:\d+\n$/);
      expect(text).not.toMatch(/curl|https?:|ADD |pip|npm/);
    }
    expect(builtTag("postgresExporter")).toBe("understudy/postgres-exporter:bookworm");
  });
});

/** A registry that wants a token first, as the public ones do. */
function registry(digests: Readonly<Record<string, string>>): typeof fetch {
  return (input, init) => {
    const url = new URL(String(input));
    if (url.pathname === "/token") return Promise.resolve(Response.json({ token: `for ${url.searchParams.get("scope")}` }));
    const [, repository = "", tag = ""] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url.pathname) ?? [];
    const scope = `repository:${repository}:pull`;
    const headers = new Headers(init?.headers);
    if (headers.get("authorization") !== `Bearer for ${scope}`) {
      return Promise.resolve(new Response(null, { status: 401, headers: { "www-authenticate": `Bearer realm="https://auth.example.org/token",service="registry",scope="${scope}"` } }));
    }
    const digest = digests[`${repository}:${tag}`];
    expect(headers.get("accept")).toContain("image.index");
    return Promise.resolve(new Response(null, digest === undefined ? { status: 404 } : { status: 200, headers: { "docker-content-digest": digest } }));
  };
}

describe("pinning", () => {
  it("knows where an image is", () => {
    expect(placeOf("postgres:15-alpine")).toEqual({ registry: "https://registry-1.docker.io", repository: "library/postgres", tag: "15-alpine" });
    expect(placeOf("prom/prometheus:v3.5.0")).toEqual({ registry: "https://registry-1.docker.io", repository: "prom/prometheus", tag: "v3.5.0" });
    expect(placeOf("quay.io/a/b:v1")).toEqual({ registry: "https://quay.io", repository: "a/b", tag: "v1" });
    expect(placeOf("localhost:5000/b:v1")).toEqual({ registry: "https://localhost:5000", repository: "b", tag: "v1" });
  });

  it("writes what the registry says, and nothing when one cannot be asked", async () => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-pin-"));
    const file = join(folder, "images.json");
    const images = { postgres: { tag: "postgres:15-alpine", user: { uid: 70, gid: 70 } }, node: { tag: "node:24-alpine", digest: digestOf("a"), user: { uid: 1, gid: 1 } } };
    writeFileSync(file, JSON.stringify(images));
    const digests = { "library/postgres:15-alpine": digestOf("b"), "library/node:24-alpine": digestOf("c") };
    expect(await pinImages(file, registry(digests))).toEqual([
      { name: "postgres", tag: "postgres:15-alpine", before: undefined, digest: digestOf("b") },
      { name: "node", tag: "node:24-alpine", before: digestOf("a"), digest: digestOf("c") },
    ]);
    const written = readFileSync(file, "utf8");
    expect(JSON.parse(written)).toEqual({ postgres: { ...images.postgres, digest: digestOf("b") }, node: { ...images.node, digest: digestOf("c") } });
    await expect(pinImages(file, registry({ "library/postgres:15-alpine": digestOf("d") }))).rejects.toThrow(/library\/node:24-alpine.*404/);
    await expect(pinImages(file, registry({ "library/postgres:15-alpine": "sha256:short", "library/node:24-alpine": digestOf("c") }))).rejects.toThrow(/sha256:short/);
    expect(readFileSync(file, "utf8")).toBe(written);
    rmSync(folder, { recursive: true });
  });
});
