/** Files of the proxy's configuration folder. */
export const proxyFiles = {
  certificate: "tls/staging.crt",
  key: "tls/staging.key",
  /** While it is there, people see the maintenance page. */
  maintenanceFlag: "maintenance.on",
} as const;

/** Log of requests, in document 004's format, apart from nginx's own messages. */
export const accessLogName = "access";

/** While this file is there, nothing new is sent to that instance of the app. */
export function drainFlag(instance: string): string {
  return `drain-${instance}.on`;
}
