import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findEngine } from "../../../tools/engine.ts";
import { firstThatWorks, type Attempt, type EngineContext } from "../../../tools/engine/attempts.ts";
import { cached, cacheFolder, engineInCache } from "../../../tools/engine/cache.ts";
import { engineFromGo } from "../../../tools/engine/go.ts";
import { dynamicProvider, engineOnPath } from "../../../tools/engine/onPath.ts";

const root = join(import.meta.dirname, "../../..");
const silent = (): void => {};

let folder: string;
let context: EngineContext;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-engine-"));
  context = {
    root,
    env: { PATH: `${folder}/bin:/usr/bin:/bin`, HOME: folder },
    say: silent,
    version: "3.246.0",
    cache: join(folder, ".cache/understudy"),
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function program(path: string, script: string): Promise<string> {
  const whole = join(folder, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, `#!/bin/sh\n${script}\n`);
  await chmod(whole, 0o755);
  return whole;
}

/** A `pulumi` that tells its version and counts how often it was asked. */
const pulumi = (version: string): Promise<string> => program("bin/pulumi", `echo asked >>"$0.count"; echo v${version}`);
const provider = (): Promise<string> => program(`bin/${dynamicProvider}`, "");

describe("firstThatWorks", () => {
  const attempt = (name: string, run: Attempt["run"]): Attempt => ({ origin: "path", name, run });

  test("stops at the first that works, and keeps why the others did not", async () => {
    const said: string[] = [];
    const found = await firstThatWorks(
      [
        attempt("first", async () => ({ passedOver: "not found" })),
        attempt("second", async () => {
          throw new Error("broken");
        }),
        { origin: "cache", name: "third", run: async () => ({ pulumiPath: "/p", version: "1.0.0" }) },
        attempt("fourth", () => expect.unreachable("asked although the third worked")),
      ],
      (topic, line) => said.push(`${topic} ${line}`),
    );
    expect(found).toEqual({
      located: { pulumiPath: "/p", version: "1.0.0" },
      origin: "cache",
      passedOver: ["first: not found", "second: broken"],
    });
    expect(said).toEqual(["engine first: not found", "engine second: broken"]);
  });

  test("finds nothing where nothing works", async () => {
    const found = await firstThatWorks([attempt("only", async () => ({ passedOver: "no" }))], silent);
    expect(found).toEqual({ located: undefined, origin: undefined, passedOver: ["only: no"] });
  });
});

describe("pulumi on PATH", () => {
  test("is passed over where there is none", async () => {
    expect(await engineOnPath(context)).toEqual({ passedOver: "not found" });
  });

  test("is taken when new enough, with the provider beside it", async () => {
    const pulumiPath = await pulumi("3.250.1");
    await provider();
    expect(await engineOnPath(context)).toEqual({ pulumiPath, version: "3.250.1" });
  });

  test("is asked for its version once, and again when it was replaced", async () => {
    await pulumi("3.250.1");
    await provider();
    await engineOnPath(context);
    await engineOnPath(context);
    expect(await readFile(join(folder, "bin/pulumi.count"), "utf8")).toBe("asked\n");
    await pulumi("3.251.10");
    expect(await engineOnPath(context)).toMatchObject({ version: "3.251.10" });
  });

  test("is asked again where the kept answer is unreadable", async () => {
    await pulumi("3.250.1");
    await provider();
    await mkdir(join(context.cache, "pulumi"), { recursive: true });
    await writeFile(join(context.cache, "pulumi/versions.json"), "{");
    expect(await engineOnPath(context)).toMatchObject({ version: "3.250.1" });
  });

  test.each([
    ["older", "3.245.9", "is 3.245.9, older than 3.246.0"],
    ["nameless", "dev", "does not tell its version"],
  ])("is passed over when %s", async (_, version, why) => {
    const path = await pulumi(version);
    await provider();
    expect(await engineOnPath(context)).toEqual({ passedOver: `${path} ${why}` });
  });

  test("is passed over when it comes without the provider for dynamic resources", async () => {
    const path = await pulumi("3.250.0");
    expect(await engineOnPath(context)).toEqual({ passedOver: `${path} comes without ${dynamicProvider}` });
  });
});

describe("cache", () => {
  const fill = async (workFolder: string): Promise<undefined> => {
    await program(join(workFolder, "engine/bin/pulumi").slice(folder.length), "");
    await program(join(workFolder, "engine/bin", dynamicProvider).slice(folder.length), "");
  };

  test.each([
    [{ XDG_CACHE_HOME: "/x", HOME: "/h" }, "/x/understudy"],
    [{ XDG_CACHE_HOME: "relative", HOME: "/h" }, "/h/.cache/understudy"],
    [{ XDG_CACHE_HOME: "", HOME: "/h" }, "/h/.cache/understudy"],
  ])("%j is %s", (env, expected) => {
    expect(cacheFolder(env)).toBe(expected);
  });

  test("has nothing at first, and says where it looked", async () => {
    expect(await engineInCache(context)).toEqual({ passedOver: "nothing in ~/.cache/understudy/pulumi/v3.246.0" });
  });

  test("has nothing while the provider is missing", async () => {
    await program(".cache/understudy/pulumi/v3.246.0/bin/pulumi", "");
    expect(await engineInCache(context)).toHaveProperty("passedOver");
  });

  test("takes an engine in whole, and leaves no work behind", async () => {
    const pulumiPath = join(context.cache, "pulumi/v3.246.0/bin/pulumi");
    expect(await cached(context, fill)).toEqual({ pulumiPath, version: "3.246.0" });
    expect(await readdir(join(context.cache, "pulumi"))).toEqual(["v3.246.0"]);
  });

  test("takes nothing in that was not finished, and keeps what it had", async () => {
    await cached(context, fill);
    expect(await cached(context, async () => ({ passedOver: "no" }))).toEqual({ passedOver: "no" });
    await expect(cached(context, () => Promise.reject(new Error("disk full")))).rejects.toThrow("disk full");
    expect(await readdir(join(context.cache, "pulumi"))).toEqual(["v3.246.0"]);
    expect(await engineInCache(context)).toHaveProperty("pulumiPath");
  });

  test("clears away what a killed set-up left, but not what a living one or another machine is at", async () => {
    const parent = join(context.cache, "pulumi");
    const dead = join(parent, `work-${hostname()}-999999999`);
    const alive = `work-${hostname()}-${process.ppid}`;
    const elsewhere = "work-another.machine-7";
    for (const path of [join(dead, "modules/readonly"), join(parent, alive), join(parent, elsewhere)]) {
      await mkdir(path, { recursive: true });
    }
    await writeFile(join(dead, "modules/readonly/file"), "");
    await chmod(join(dead, "modules/readonly"), 0o555);
    await cached(context, fill);
    expect((await readdir(parent)).toSorted()).toEqual([alive, elsewhere, "v3.246.0"].toSorted());
  });
});

describe("Go modules", () => {
  /** A `go` that plays its part: `fetched` is what `go mod download` does, `version` what it says it is. */
  const go = (version: string, fetched = `echo '{"Dir": "${folder}/toolchain"}'`): Promise<string> =>
    program(
      "bin/go",
      `echo "$0 $*" >>${folder}/calls
      case $1 in
        version) echo "go version go${version} linux/amd64" ;;
        mod) ${fetched} ;;
        build) while [ "$1" != -o ]; do shift; done; echo '#!/bin/sh' >"$2"; chmod +x "$2" ;;
      esac`,
    );
  const calls = async (): Promise<string[]> => (await readFile(join(folder, "calls"), "utf8")).trim().split("\n");

  test("become an engine with its provider, in the cache", async () => {
    await go("1.99.0");
    const pulumiPath = join(context.cache, "pulumi/v3.246.0/bin/pulumi");
    expect(await engineFromGo(context)).toEqual({ pulumiPath, version: "3.246.0" });
    expect((await stat(join(dirname(pulumiPath), dynamicProvider))).mode & 0o111).toBe(0o111);
    expect(await readdir(join(context.cache, "pulumi"))).toEqual(["v3.246.0"]);
    expect((await calls()).at(-1)).toContain("Version=v3.246.0");
  });

  test("are compiled by a fetched Go where the machine's is too old", async () => {
    await go("1.19.8");
    await program("toolchain/pkg/tool/linux_amd64/compile", "");
    await program("toolchain/pkg/tool/linux_arm64/compile", "");
    const fetched = await program("toolchain/bin/go", (await readFile(join(folder, "bin/go"), "utf8")).split("\n").slice(1).join("\n"));
    await chmod(fetched, 0o444); // as Go before 1.21 leaves it
    expect(await engineFromGo(context)).toHaveProperty("pulumiPath");
    const [builder = ""] = (await calls()).at(-1)?.split(" ") ?? [];
    expect(builder).toBe(fetched);
    expect((await calls()).some((call) => /mod download -json golang\.org\/toolchain@v0\.0\.1-go1\.\d+\.\d+\.linux-/.test(call))).toBe(true);
  });

  test("are passed over with Go's own reason where they cannot be fetched", async () => {
    await go("1.99.0", `echo '{"Error": "proxy says no"}'; exit 1`);
    expect(await engineFromGo(context)).toEqual({
      passedOver: "github.com/pulumi/pulumi/pkg/v3@v3.246.0 is not to be had: proxy says no",
    });
    expect(await readdir(join(context.cache, "pulumi"))).toEqual([]);
  });
});

describe("findEngine", () => {
  test("prefers PATH, then the cache", async () => {
    await program(".cache/understudy/pulumi/v3.246.0/bin/pulumi", "");
    await program(`.cache/understudy/pulumi/v3.246.0/bin/${dynamicProvider}`, "");
    expect(await findEngine({ root, env: context.env })).toMatchObject({
      origin: "cache",
      passedOver: ["pulumi on PATH: not found"],
    });
    await pulumi("3.260.0");
    await provider();
    expect(await findEngine({ root, env: context.env })).toMatchObject({ origin: "path", version: "3.260.0", passedOver: [] });
  });

  test("says what is missing and what to do", async () => {
    await expect(findEngine({ root, env: context.env })).rejects.toMatchObject({
      exitCode: 3,
      line:
        "There is no Pulumi engine 3.246.0 or newer (pulumi on PATH: not found; cache: nothing in " +
        "~/.cache/understudy/pulumi/v3.246.0). Run: make setup",
    });
  });
});
