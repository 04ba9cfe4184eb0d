import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";
import type { ValidationTarget } from "../target.ts";
import { isLoopback, listeningSockets } from "./listeningSockets.ts";
import { elsewhere } from "./services.ts";

/** Every port that the stack is meant to listen on, with whose it is. */
function portsOf(target: ValidationTarget): ReadonlyMap<number, string> {
  const ports = new Map(target.services.flatMap(({ name, port, morePorts = [] }) => [port, ...morePorts].map((one): [number, string] => [one, name])));
  for (const url of [target.httpsUrl, target.httpUrl, target.appUrl]) {
    const { port, protocol } = new URL(url);
    const number = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
    if (!ports.has(number)) ports.set(number, url);
  }
  return ports;
}

export const loopbackOnly: ValidationCheck = {
  id: "infrastructure.loopback-only",
  category: "infrastructure",
  title: "Ports answer on loopback and nowhere else",
  severity: "error",
  quick: true,
  run: async ({ target }) => {
    const away = elsewhere(target);
    if (away !== undefined) return away;
    const ports = portsOf(target);
    const sockets = await listeningSockets();
    const bound = [...ports].flatMap(([port, owner]) => {
      const own = sockets.filter((socket) => socket.port === port);
      if (own.length === 0) return [`nothing listens on port ${port} (${owner})`];
      return own.filter(({ address }) => !isLoopback(address)).map(({ address }) => `${owner} listens on ${address}:${port}`);
    });
    const reached = await reachableFromOutside([...ports.keys()]);
    const problems = [...bound, ...reached.map(({ address, port }) => `${ports.get(port)} answers on ${address}:${port}`)];
    return verdict(problems, {
      count: ports.size,
      evidence: `${ports.size} ports, each bound to 127.0.0.1 or ::1 alone: ${[...ports.keys()].sort((left, right) => left - right).join(", ")}`,
      remedy: "Start the missing service, or bind it to 127.0.0.1 in its configuration.",
    });
  },
};

const mostAddresses = 4;
const dialTimeoutMs = 500;

/** Dials the ports on this machine's other addresses: what a neighbour on the network would reach. */
async function reachableFromOutside(ports: readonly number[]): Promise<{ address: string; port: number }[]> {
  const addresses = Object.values(networkInterfaces())
    .flatMap((interfaces) => interfaces ?? [])
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
    .map(({ address }) => address)
    .slice(0, mostAddresses);
  const dialled = addresses.flatMap((address) => ports.map((port) => ({ address, port })));
  const answers = await Promise.all(dialled.map(({ address, port }) => answersOn(address, port)));
  return dialled.filter((_, index) => answers[index]);
}

function answersOn(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: dialTimeoutMs });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}

export const portsIsolated: ValidationCheck = {
  id: "infrastructure.ports-isolated",
  category: "infrastructure",
  title: "No port is one of production's",
  severity: "error",
  quick: true,
  run: async ({ target, requirements }) => {
    const ports = portsOf(target);
    const production = new Set(requirements.productionPorts);
    const standard = [...ports].filter(([port]) => production.has(port)).map(([port, owner]) => `${owner} is on production's port ${port}`);
    const { source, staging } = target;
    const isSource = source !== undefined && source.host === staging.host && source.port === staging.port;
    const problems = [...standard, ...(isSource ? [`the staging database and the source are both ${staging.host}:${staging.port}`] : [])];
    return verdict(problems, {
      count: ports.size,
      evidence: `none of ${ports.size} ports is among production's ${[...production].join(", ")}`,
      remedy: "Give the service another port, or the stack a `portOffset`.",
    });
  },
};
