import { askEngine } from "./api.ts";

/**
 * Whether the engine has a volume of that name. When it was made cannot be asked: the engine takes the last change of its
 * folder for that.
 */
export async function volumeExists(name: string): Promise<boolean> {
  return (await askEngine(`/volumes/${encodeURIComponent(name)}`)).status === 200;
}
