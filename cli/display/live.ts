import { Listr, type ListrTaskWrapper, type DefaultRenderer, type SimpleRenderer } from "listr2";
import { seconds } from "../console.ts";
import type { Display, DisplayOptions } from "./index.ts";
import { phases, progressOf, stepOf, type Phase } from "./phases.ts";

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/** A phase's line on the terminal, waiting for its resource to begin and to end. */
interface Line {
  readonly phase: Phase;
  readonly finished: PromiseWithResolvers<void>;
  task: Task | undefined;
  startedAt: number | undefined;
  ended: boolean;
}

/** A line a phase that moves, with the last progress under the one that is at work. */
export function liveDisplay({ title, console }: DisplayOptions): Display {
  console.note(title);
  const lines = phases.map((phase): Line => ({ phase, finished: Promise.withResolvers<void>(), task: undefined, startedAt: undefined, ended: false }));
  for (const { finished } of lines) finished.promise.catch(() => {});
  const list = new Listr(
    lines.map((line) => ({
      title: line.phase.title,
      task: (_context: unknown, task: Task) => {
        line.task = task;
        return line.finished.promise;
      },
    })),
    { concurrent: true, exitOnError: false, registerSignalListeners: false, rendererOptions: { collapseErrors: false, showErrorMessage: false } },
  );
  const running = list.run().catch(() => {});

  const lineOf = (resource: string) => lines.find(({ phase }) => phase.resource === resource);
  return {
    event: (event) => {
      const progress = progressOf(event);
      if (progress !== undefined) show(lines, progress);
      const step = stepOf(event);
      const line = step === undefined ? undefined : lineOf(step.resource);
      if (step === undefined || line === undefined) return;
      if (step.state === "running") {
        line.startedAt ??= Date.now();
        return;
      }
      if (line.ended) return;
      line.ended = true;
      const took = seconds(Date.now() - (line.startedAt ?? Date.now()));
      if (line.task !== undefined) line.task.title = `${line.phase.title}${step.operation === "same" ? " (unchanged)" : ` (${took})`}`;
      if (step.state === "failed") line.finished.reject(new Error(line.phase.title));
      else line.finished.resolve();
    },
    end: (succeeded) => {
      for (const line of lines) {
        if (line.startedAt === undefined) line.task?.skip();
        if (succeeded || line.startedAt === undefined) line.finished.resolve();
        else line.finished.reject(new Error(line.phase.title));
      }
      void running;
    },
  };
}

/** Under the phase that the progress names, while it is at work; a line that has ended takes no more. */
function show(lines: readonly Line[], progress: string): void {
  const line = lines.find(({ phase, startedAt, ended }) => startedAt !== undefined && !ended && progress.startsWith(`${phase.title}: `));
  if (line?.task === undefined) return;
  line.task.output = progress.slice(line.phase.title.length + 2);
}
