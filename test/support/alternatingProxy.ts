import { createServer, connect } from "node:net";
import type { AddressInfo } from "node:net";

/** A load balancer that knows nothing of sessions: each connection goes to the next of the ports. */
export async function startAlternatingProxy(ports: readonly number[]): Promise<{ readonly port: number; stop(): Promise<void> }> {
  let connections = 0;
  const server = createServer((inbound) => {
    const outbound = connect({ host: "127.0.0.1", port: ports[connections++ % ports.length] ?? 0 });
    inbound.pipe(outbound).pipe(inbound);
    inbound.on("error", () => outbound.destroy());
    outbound.on("error", () => inbound.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
