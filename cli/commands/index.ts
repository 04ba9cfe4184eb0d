import type { AddCommand } from "../context.ts";
import { addDestroy } from "./destroy.ts";
import { addPreview } from "./preview.ts";
import { addRefresh } from "./refresh.ts";
import { addUp } from "./up.ts";

/** Every command, in the order of `--help`. */
export const commands: readonly AddCommand[] = [addUp, addPreview, addRefresh, addDestroy];
