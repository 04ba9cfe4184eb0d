import { seconds, styled } from "../console.ts";
import type { Display, DisplayOptions } from "./index.ts";
import { pastTense, progressOf, stepOf } from "./phases.ts";

/** One line for each resource that changed, and for each step of progress: what a CI log wants. */
export function plainDisplay({ title, console }: DisplayOptions): Display {
  const startedAt = new Map<string, number>();
  const begun = Date.now();
  console.note(title);
  return {
    event: (event) => {
      const progress = progressOf(event);
      if (progress !== undefined) console.note(`    ${progress}`);
      const step = stepOf(event);
      if (step === undefined) return;
      if (step.state === "running") {
        startedAt.set(step.resource, Date.now());
        return;
      }
      if (["same", "read", "refresh"].includes(step.operation) && step.state !== "failed") return;
      const took = seconds(Date.now() - (startedAt.get(step.resource) ?? Date.now()));
      const mark = step.state === "failed" ? styled(console, "red", "failed ") : styled(console, "green", "ok     ");
      console.note(`  ${mark} ${step.resource} ${step.state === "failed" ? "" : `${pastTense(step.operation)} `}(${took})`);
    },
    end: (succeeded) => {
      console.note(`${title}: ${succeeded ? "done" : "failed"} after ${seconds(Date.now() - begun)}`);
    },
  };
}
