import type { StackConfig } from "../config.ts";
import type { Platform } from "./platform.ts";
import { ProcessPlatform, type ProcessPlatformArgs } from "./process/index.ts";

/** The platform that the configuration names. */
export function createPlatform(kind: StackConfig["platform"], args: ProcessPlatformArgs): Platform {
  switch (kind) {
    case "process":
      return new ProcessPlatform("process", args);
  }
}
