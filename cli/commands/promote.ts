import { promoteReplica } from "../../engine/staging/promote.ts";
import { seconds } from "../console.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { wholeNumber } from "../settings.ts";
import { deployedStack } from "../target.ts";
import { showProgress, untilInterrupted } from "../tracked.ts";

export const addPromote: AddCommand = (program, { console }) => {
  const command = program
    .command("promote")
    .description("make the read replica a server of its own that takes writes; the stack goes on with its primary")
    .option("--timeout <seconds>", "for catching up and for the promotion itself", wholeNumber, 30)
    .action(async (options: { readonly timeout: number }) => {
      const { stack: name, json } = globalsOf(command);
      const { description } = await deployedStack(name);
      const { staging } = description;
      const promotion = await untilInterrupted((signal) =>
        promoteReplica({ staging, stack: name, timeoutMs: options.timeout * 1_000, onProgress: showProgress(console, { quiet: json }), signal }),
      );
      if (json) {
        console.result(JSON.stringify({ stack: name, ...promotion }, null, 2));
        return;
      }
      const { server, position, timeline, caughtUp, durationMs } = promotion;
      const flag = name === "local" ? "" : ` --stack ${name}`;
      console.result(
        [
          `Promoted in ${seconds(durationMs)}: ${server} takes writes of its own, on timeline ${timeline}.`,
          caughtUp ? `Nothing is missing: it had replayed all that the primary had committed, up to ${position}.` : `The primary did not answer: all that was received is there, up to ${position}.`,
          "",
          `The app goes on with the primary, ${staging.host}:${staging.port}. The promoted server is DATABASE_REPLICA_URL of: understudy outputs${flag} --env`,
          `To have a replica again: understudy up${flag}. It is made anew from the primary, and what was written to the promoted server is lost.`,
        ].join("\n"),
      );
    });
};
