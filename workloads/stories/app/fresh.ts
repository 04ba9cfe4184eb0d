/** Calls `read` at most once in `freshMs`, for all who ask in that time; a failure is not kept. */
export function fresh<Value>(read: () => Promise<Value>, freshMs: number): () => Promise<Value> {
  let kept: { readonly value: Promise<Value>; readonly at: number } | undefined;
  return () => {
    if (kept === undefined || Date.now() - kept.at > freshMs) {
      const value = read();
      kept = { value, at: Date.now() };
      value.catch(() => {
        kept = undefined;
      });
    }
    return kept.value;
  };
}
