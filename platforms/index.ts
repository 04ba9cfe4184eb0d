import type { Platform } from "./platform.ts";
import { ProcessPlatform, type ProcessPlatformArgs } from "./process/index.ts";

/** The platform that the configuration names. */
export function createPlatform(kind: "process", args: ProcessPlatformArgs): Platform {
  switch (kind) {
    case "process":
      return new ProcessPlatform("process", args);
  }
}
