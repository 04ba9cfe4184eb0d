import { access } from "node:fs/promises";
import { messageOf } from "../../errors.ts";
import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

export const appInstancesAnswer: ValidationCheck = {
  id: "infrastructure.app-instances",
  category: "infrastructure",
  title: "Every instance of the application is healthy and in use",
  severity: "error",
  quick: true,
  eventualMs: 3_000,
  run: async ({ target, workload, http, signal }) => {
    const instances = target.appInstances ?? [];
    const seen = await Promise.all(
      instances.map(async ({ service, url, drainFile }) => {
        const status = await http.send(new URL(workload.manifest.app.healthPath, url).href, { signal }).then(
          (answer) => answer.status,
          (error: unknown) => messageOf(error),
        );
        const isDrained = drainFile !== undefined && (await access(drainFile).then(() => true, () => false));
        return [
          ...(status === 200 ? [] : [`${service} answers ${status}`]),
          ...(isDrained ? [`${service} is kept out of use: an exchange of it did not get to its end`] : []),
        ];
      }),
    );
    return verdict(seen.flat(), {
      count: instances.length,
      evidence: `${instances.map(({ service }) => service).join(", ")}: each answers 200 by itself, none is kept out of use`,
      remedy: "See understudy logs of that instance; understudy restart app brings every one of them back into use.",
    });
  },
};
