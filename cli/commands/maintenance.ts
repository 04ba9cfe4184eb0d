import { Argument } from "commander";
import { chmod, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { proxyFiles } from "../../components/proxyFiles.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { deployedStack } from "../target.ts";

export const addMaintenance: AddCommand = (program, { console }) => {
  const command = program
    .command("maintenance")
    .addArgument(new Argument("[state]", "on or off; without it, say which").choices(["on", "off"]))
    .description("show people the maintenance page; health checks still pass through")
    .action(async (state: "on" | "off" | undefined) => {
      const { stack: name, json } = globalsOf(command);
      const { layout } = await deployedStack(name);
      const flag = join(layout.config("proxy"), proxyFiles.maintenanceFlag);
      if (state === "on") {
        await writeFile(flag, "");
        await chmod(flag, 0o644);
      }
      if (state === "off") await rm(flag, { force: true });
      const on = await stat(flag).then(
        () => true,
        () => false,
      );
      console.result(json ? JSON.stringify({ stack: name, maintenance: on }) : `Maintenance mode of stack ${name} is ${on ? "on" : "off"}.`);
    });
};
