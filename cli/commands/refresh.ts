import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { runOperation } from "../operation.ts";
import { openStack, requireDeployed } from "../workspace.ts";

export const addRefresh: AddCommand = (program, { console }) => {
  const command = program
    .command("refresh")
    .description("look at what really runs, and take it into the state; exit 6 when something had drifted")
    .action(async () => {
      const { stack: name, json, verbose } = globalsOf(command);
      await requireDeployed(name);
      const open = await openStack(name, { mode: "write" });
      const drifted: string[] = [];
      await runOperation(open, { title: `Stack ${name}: refresh`, console, verbose, quiet: json }, (hooks) =>
        open.stack.refresh({
          ...hooks,
          onEvent: (event) => {
            const metadata = event.resOutputsEvent?.metadata;
            if (metadata !== undefined && ["update", "delete"].includes(metadata.op)) drifted.push(metadata.urn.split("::").at(-1) ?? metadata.urn);
            hooks.onEvent(event);
          },
        }),
      );
      if (json) console.result(JSON.stringify({ stack: name, drifted }));
      if (drifted.length === 0) {
        if (!json) console.result("No drift: what runs is what the state says.");
        return;
      }
      throw new UnderstudyError(`${drifted.length} resource(s) had drifted: ${drifted.join(", ")}.`, {
        exitCode: exitCode.drift,
        remedy: `Bring them back with: understudy up --stack ${name}`,
      });
    });
};
