import { setFlagsFromString } from "node:v8";
import { loadModule, parseSync } from "libpg-query";
import type { ParseResult } from "libpg-query";

/**
 * PostgreSQL's own parser. After a few files V8 would compile the parser's one huge function anew in the background,
 * optimised: 600 MB and seconds of a core, for what takes milliseconds. So that is held off while the parser runs;
 * no other WebAssembly is concerned.
 * @throws SqlError with the position of what is not SQL.
 */
export async function parseSql(text: string): Promise<ParseResult> {
  await loadModule();
  setFlagsFromString("--wasm-tier-up-filter=1");
  try {
    return parseSync(text);
  } finally {
    setFlagsFromString("--wasm-tier-up-filter=-1");
  }
}
