/**
 * A node of the chat: the page, the hub, and the way to the other nodes.
 *
 * @module
 */
import { type Backplane, createHubServer, openBackplane } from "@hubplane/hubplane";
import { authenticate, defineChat } from "./hub.ts";
import { servePage } from "./page.ts";

/** How long a node waits for the bus before it gives up, in milliseconds. */
const READY_TIMEOUT = 3000;

/** How long running calls may take when the node stops, in milliseconds. */
const DRAIN_TIMEOUT = 10_000;

/** How long the last bytes may take to leave when the node stops, in milliseconds. */
const SHUTDOWN_TIMEOUT = 1000;

/** Where a node listens and how it hears the others. */
export interface NodeOptions {
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** The URL of the bus, as `openBackplane` takes it. */
  readonly backplane: string;
}

/** A node that runs. */
export interface ChatNode {
  /** Where its page is. */
  readonly url: string;
  /** Asks its clients to reconnect elsewhere, lets running calls finish, and ends it. */
  stop(): Promise<void>;
}

/** A node could not start; the message says why in one line. */
export class StartError extends Error {
  /** Makes the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message.replaceAll(/\s+/g, " "), options);
    this.name = "StartError";
  }
}

/**
 * Starts a node.
 *
 * @throws {StartError} if the bus cannot be reached within 3 seconds, its URL is no URL of a bus, or
 * the port is in use.
 */
export async function startNode({ port, backplane: busUrl }: NodeOptions): Promise<ChatNode> {
  const backplane = await openBackplane(busUrl).catch((error: Error) => {
    throw new StartError(error.message, { cause: error });
  });
  const node = String(port);
  const server = createHubServer({
    hubs: { "/chat": defineChat(node) },
    backplane,
    authenticate,
    health: { live: "/healthz", ready: "/readyz" },
  });
  try {
    await reached(backplane, server.ready);
    const http = listen(port, (request) => servePage(request) ?? server.fetch(request));
    return {
      url: `http://127.0.0.1:${port}/`,
      async stop() {
        await server.drain({ timeout: DRAIN_TIMEOUT });
        await server.close();
        await within(SHUTDOWN_TIMEOUT, http.shutdown());
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Returns normally once the bus is there. */
async function reached(backplane: Backplane, ready: Promise<void>): Promise<void> {
  let last: Error | undefined;
  using _listener = backplane.onStatus(({ error }) => last = error ?? last);
  try {
    if (await within(READY_TIMEOUT, ready.then(() => true))) return;
  } catch (error) {
    last ??= error as Error;
  }
  throw new StartError(last?.message ?? "Cannot reach the bus: no answer", { cause: last });
}

function listen(port: number, handler: (request: Request) => Response | Promise<Response>) {
  try {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, handler);
  } catch (error) {
    const why = error instanceof Deno.errors.AddrInUse ? "it is in use" : (error as Error).message;
    throw new StartError(`Cannot listen on port ${port}: ${why}`, { cause: error });
  }
}

/** What `promise` resolves with, or `undefined` after `timeout` milliseconds. */
async function within<T>(timeout: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), timeout);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
