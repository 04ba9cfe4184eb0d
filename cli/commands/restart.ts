import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { restartInstance } from "../../engine/process/rolling.ts";
import { seconds } from "../console.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { deployedStack } from "../target.ts";
import { showProgress, untilInterrupted } from "../tracked.ts";

export const addRestart: AddCommand = (program, { console }) => {
  const command = program
    .command("restart")
    .argument("[service]", "app, or one of its instances, such as app-2", "app")
    .description("restart the app's instances one at a time, each out of use until it is healthy again")
    .action(async (service: string) => {
      const { stack: name, json } = globalsOf(command);
      const { target, layout, workload, urls, description } = await deployedStack(name);
      const instances = target.appInstances ?? [];
      const chosen = service === "app" ? instances : instances.filter((instance) => instance.service === service);
      if (chosen.length === 0) {
        throw new UnderstudyError(`"${service}" is no instance of the app; there are ${instances.map((instance) => instance.service).join(", ")}.`, { exitCode: exitCode.usage });
      }
      const healthPath = urls["health"] === undefined ? workload.manifest.app.healthPath : new URL(urls["health"]).pathname;
      const startedAt = performance.now();
      const restarted = await untilInterrupted(async (signal) => {
        const done: string[] = [];
        for (const instance of chosen) {
          // The one under way gets to its end: half-way it would stay out of use.
          signal.throwIfAborted();
          await restartInstance({
            layout,
            name: instance.service,
            container: description.services.find((service) => service.name === instance.service)?.container,
            healthUrl: new URL(healthPath, instance.url).href,
            // A single instance has nobody to take its place.
            drainFile: instances.length > 1 ? instance.drainFile : undefined,
            onProgress: showProgress(console, { quiet: json }),
          });
          done.push(instance.service);
        }
        return done;
      });
      const durationMs = Math.round(performance.now() - startedAt);
      if (json) console.result(JSON.stringify({ stack: name, restarted, durationMs }));
      else console.result(`Restarted one after the other, each healthy before the next: ${restarted.join(", ")}, in ${seconds(durationMs)}.`);
    });
};
