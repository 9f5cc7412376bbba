/**
 * The servers that hubs can be served by. What is true of one must be true of all.
 *
 * @module
 */
import { listen } from "../../../hub/listen/listen.ts";
import type { Hubs, HubServer } from "../../../mod.ts";

/** Hubs on a port. */
export interface Hosted {
  readonly port: number;
  /** Takes no more connections; resolves when those that there are have ended. */
  shutdown(): Promise<void>;
}

/** Serves hubs on a port of the loopback interface, a free one unless told otherwise. */
export type Host = (server: HubServer<Hubs>, port?: number) => Promise<Hosted>;

/** Deno's own server. */
export function hostWithFetch({ fetch }: HubServer<Hubs>, port = 0): Promise<Hosted> {
  const http = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, fetch);
  return Promise.resolve({ port: http.addr.port, shutdown: () => http.shutdown() });
}

/** `node:http` and `ws`. */
export async function hostWithListen(server: HubServer<Hubs>, port = 0): Promise<Hosted> {
  // Hostile peers open more connections than the default allows.
  const maximumConnections = 20_000;
  const listener = await listen(server, { hostname: "127.0.0.1", port, maximumConnections });
  return { port: listener.port, shutdown: () => listener.close() };
}

/** All of them by name. */
export const HOSTS: Readonly<Record<string, Host>> = {
  fetch: hostWithFetch,
  listen: hostWithListen,
};
