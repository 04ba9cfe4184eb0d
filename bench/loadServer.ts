import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// A server of its own process for bench/load.ts: answers at once, and stands still for as long as it is told to by POST /stall?ms=N.
const server = createServer((request, response) => {
  request.resume();
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  response.setHeader("content-type", "application/json");
  response.end('{"data":[]}');
  if (pathname !== "/stall") return;
  const until = performance.now() + Number(searchParams.get("ms"));
  setImmediate(() => {
    while (performance.now() < until);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
