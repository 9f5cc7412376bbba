import { bounded } from "./wait.ts";

/** What a client opens its connections with. */
export interface SocketClasses {
  readonly WebSocket: typeof WebSocket;
  readonly EventSource: typeof EventSource;
}

/** What the newest client takes unless it is given another: in a page the browser's. */
const own: SocketClasses = "Deno" in globalThis
  ? await socketsOf("@microsoft/signalr")
  : { WebSocket, EventSource };

/** What a release of the client takes, as it requires it. */
export async function socketsOf(release: string): Promise<SocketClasses> {
  const { createRequire } = await import("node:module");
  const require = createRequire(import.meta.resolve(release));
  return { WebSocket: require("ws"), EventSource: require("eventsource") };
}

/**
 * What an official client opens its connections with, to wait for their end. Its `stop()` does not
 * (`_close` in its `WebSocketTransport.js`), and until then each has a timer, which would outlive the test.
 */
export class ClientSockets implements SocketClasses {
  readonly WebSocket: typeof WebSocket;
  readonly EventSource: typeof EventSource;
  readonly #open = new Set<Promise<void>>();
  readonly #sources: EventSource[] = [];

  /** Sockets of the client's own classes, or of others. */
  constructor(classes: Partial<SocketClasses> = {}) {
    this.WebSocket = derived(
      classes.WebSocket ?? own.WebSocket,
      (socket: WebSocket) => this.#watch(socket),
    );
    this.EventSource = derived(
      classes.EventSource ?? own.EventSource,
      (source: EventSource) => this.#keep(source),
    );
  }

  /** Resolves when all are closed; the client must have been stopped. */
  async closed(): Promise<void> {
    // The client leaves those open that it could not connect.
    for (const source of this.#sources) source.close();
    await bounded(Promise.all(this.#open));
  }

  #keep(source: EventSource): void {
    this.#sources.push(source);
    // When it loses its connection npm's `eventsource` has a timer of a second, although it is closed.
    if ("reconnectInterval" in source) source.reconnectInterval = 10;
  }

  #watch(socket: WebSocket): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#open.add(promise);
    // `ws` 7 forgets its event listeners when the client sets `onclose` again, as it does to close.
    const { on = socket.addEventListener } = socket as { on?: WebSocket["addEventListener"] };
    on.call(socket, "close", () => {
      this.#open.delete(promise);
      resolve();
    });
  }
}

/** `base`, with something done to all that it makes. */
function derived<C extends new (...args: never[]) => object>(
  base: C,
  made: (instance: InstanceType<C>) => void,
): C {
  return new Proxy(base, {
    construct(target, args, newTarget) {
      const instance = Reflect.construct(target, args, newTarget);
      made(instance);
      return instance;
    },
  });
}
