import { Connection, type ConnectionListener } from "./connection.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { type SocketListener, Sockets } from "./sockets.ts";

/** The number of connections that are opened at the same time. */
const OPENING_AT_ONCE = 64;

/** The interval of keep-alive messages, in milliseconds; the same as the official SignalR client. */
const KEEP_ALIVE_INTERVAL = 15_000;

/** The longest wait without any event, in milliseconds. */
const STALL_TIMEOUT = 5000;

/** All connections of the load, and the event loop that serves them. */
export class Connections implements SocketListener, ConnectionListener {
  /** The connections that `grow()` opened, in order. */
  readonly list: Connection[] = [];
  /** Called for every token that arrives. */
  onToken: (connection: Connection, number: number) => void = () => {};
  /** Called when a connection is open. */
  onOpened: (connection: Connection) => void = () => {};
  readonly #dialect: Dialect;
  readonly #ports: readonly number[];
  readonly #sockets = new Sockets();
  readonly #bySocket: (Connection | undefined)[] = [];
  #opened = 0;
  #keptAlive = performance.now();

  constructor(dialect: Dialect, ports: readonly number[]) {
    this.#dialect = dialect;
    this.#ports = ports;
  }

  /** Starts to open a connection to a node. */
  begin(node: number): Connection {
    const port = this.#ports[node % this.#ports.length];
    if (port === undefined) throw new Error("Cannot connect: there are no nodes");
    const connection = new Connection({
      sockets: this.#sockets,
      dialect: this.#dialect,
      listener: this,
      node: node % this.#ports.length,
      port,
    });
    this.#bySocket[connection.socket] = connection;
    return connection;
  }

  /** Opens `count` more connections, spread over the nodes. */
  grow(count: number): void {
    const before = this.#opened;
    let begun = 0;
    this.runUntil(() => {
      while (begun < count && begun - (this.#opened - before) < OPENING_AT_ONCE) {
        this.list.push(this.begin(this.list.length));
        begun++;
      }
      return this.#opened - before === count;
    });
  }

  /** Closes a connection. */
  end(connection: Connection): void {
    this.#bySocket[connection.socket] = undefined;
    connection.close();
  }

  /** Serves the connections until `done()`, which is called after every batch of events. */
  runUntil(done: () => boolean): void {
    let alive = performance.now();
    while (!done()) {
      const events = this.#sockets.poll(100, this);
      const now = performance.now();
      if (events > 0) alive = now;
      else if (now - alive > STALL_TIMEOUT) {
        throw new Error("Cannot go on: nothing arrives any more");
      }
      this.#keepAlive(now);
    }
  }

  /** Serves the connections for a time; `step` is called at least every millisecond. */
  runFor(milliseconds: number, step: () => void = () => {}): void {
    const end = performance.now() + milliseconds;
    for (let now = 0; now < end; now = performance.now()) {
      step();
      this.#sockets.poll(1, this);
      this.#keepAlive(now);
    }
  }

  received(socket: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#bySocket[socket]?.receive(bytes);
  }

  ended(socket: number): void {
    if (this.#bySocket[socket] !== undefined) {
      throw new Error("Cannot go on: a node has ended a connection");
    }
  }

  opened(connection: Connection): void {
    this.#opened++;
    this.onOpened(connection);
  }

  token(connection: Connection, number: number): void {
    this.onToken(connection, number);
  }

  #keepAlive(now: number): void {
    const frame = this.#dialect.keepAlive;
    if (frame === undefined || now - this.#keptAlive < KEEP_ALIVE_INTERVAL) return;
    this.#keptAlive = now;
    for (const connection of this.#bySocket) {
      if (connection !== undefined && connection.id !== "") connection.send(frame);
    }
  }
}
