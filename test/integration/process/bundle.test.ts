import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bundleApp } from "../../../engine/process/bundle.ts";

it("several bundles asked for at once all get to their end, also beside one that fails", async () => {
  const folder = await mkdtemp(join(tmpdir(), "understudy-bundle-"));
  try {
    const names = ["one", "two", "three"];
    for (const name of names) await writeFile(join(folder, `${name}.ts`), `const name: string = "${name}";\nconsole.log(name);\n`);
    await writeFile(join(folder, "broken.ts"), "const =");
    const broken = bundleApp(join(folder, "broken.ts"), join(folder, "out", "broken.mjs"));
    const bundles = names.map((name) => bundleApp(join(folder, `${name}.ts`), join(folder, "out", `${name}.mjs`)));
    await expect(broken).rejects.toMatchObject({ exitCode: 3 });
    await Promise.all(bundles);
    for (const name of names) expect(await readFile(join(folder, "out", `${name}.mjs`), "utf8")).toContain(`"${name}"`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 20_000);
