import { assert, assertEquals } from "@std/assert";
import { deadline, delay } from "@std/async";
import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from "@microsoft/signalr";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { figure } from "./figures.ts";
import type { MeasuredNode } from "./measured_node.ts";

/** How long one answer may take at most, in milliseconds: a bound, not a claim. */
const PATIENCE = 30_000;
/** What lies between two calls, so that the witness is no flood itself. */
const PAUSE = 5;

/**
 * An official client that invokes continuously while others attack, and must notice nothing: every
 * call has its answer and every message comes, once and in order, and the connection stays. Attacks go
 * in batches, with {@link served} between them.
 */
export class Witness implements AsyncDisposable {
  readonly connection: HubConnection;
  readonly #node: MeasuredNode;
  readonly #sockets: ClientSockets;
  readonly #id: string | null;
  readonly #work: Promise<void>;
  #stopped = false;
  #closed: Error | true | undefined;
  /** How many calls were answered. */
  #calls = 0;
  /** How many messages have come, of which each call causes one. */
  #messages = 0;
  #answered = Promise.withResolvers<void>();
  #longest = 0;

  private constructor(node: MeasuredNode, connection: HubConnection, sockets: ClientSockets) {
    this.#node = node;
    this.#sockets = sockets;
    this.connection = connection;
    this.#id = connection.connectionId;
    connection.onclose((error) => this.#closed = error ?? true);
    // A number that is out of turn is found when the next is compared.
    connection.on("numbered", (number) => this.#messages += number === this.#messages ? 1 : NaN);
    this.#work = this.#invoke();
    // It is awaited at the end.
    this.#work.catch(() => {});
  }

  /** Connects and begins. */
  static async start(node: MeasuredNode): Promise<Witness> {
    const sockets = new ClientSockets();
    const connection = new HubConnectionBuilder()
      .withUrl(`http://127.0.0.1:${node.port}/hub`, {
        transport: HttpTransportType.WebSockets,
        ...sockets,
      })
      .configureLogging(LogLevel.None).build();
    await connection.start();
    return new Witness(node, connection, sockets);
  }

  /** Resolves when a call was answered that begins later than now; fails if anything was noticed. */
  async served(): Promise<void> {
    // The one that is under way has begun before.
    const last = this.#calls + 2;
    while (this.#calls < last) await Promise.race([this.#answered.promise, this.#work]);
    this.#node.assertAlive();
    assertEquals(this.#closed, undefined, "the witness was disconnected");
  }

  /** Waits for something, while calls must be answered; returns what it resolves to. */
  async meanwhile<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const settled = work.finally(() => done = true);
    // It is awaited below.
    settled.catch(() => {});
    do await this.served(); while (!done);
    return await settled;
  }

  /** What the node holds when nothing unreachable is left, in MiB. */
  liveMiB(): Promise<number> {
    return this.#call("memory");
  }

  /**
   * Resolves when the node holds at most `slack` MiB more than `before`, both as {@link liveMiB} gives
   * them; returns how much it is. The resident memory is no measure: allocators keep it for the next time.
   */
  async backTo(before: number, slack: number): Promise<number> {
    const last = performance.now() + PATIENCE;
    for (;;) {
      const grown = await this.liveMiB() - before;
      if (grown <= slack) return grown;
      assert(performance.now() < last, `the node holds ${grown.toFixed(1)} MiB more than before`);
      await delay(100);
    }
  }

  /** How many connections the hub has, this one included. */
  open(): Promise<number> {
    return this.#call("open");
  }

  /** Resolves when nobody but this one, and `others` more, is in the hub. */
  async alone(others = 0): Promise<void> {
    const last = performance.now() + PATIENCE;
    while (await this.open() !== 1 + others) {
      assert(performance.now() < last, "connections are left in the hub");
      await delay(20);
    }
  }

  /** Stops; fails if anything was noticed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    try {
      await this.#work;
      this.#node.assertAlive();
      assertEquals(this.#closed, undefined, "the witness was disconnected");
      assertEquals(this.connection.connectionId, this.#id, "the witness has reconnected");
      assert(this.#calls > 0, "the witness was never served");
    } finally {
      await this.connection.stop();
      await this.#sockets.closed();
    }
    figure(`  witness: ${this.#calls} calls, the longest took ${Math.round(this.#longest)} ms`);
  }

  #call<T>(method: string, ...args: unknown[]): Promise<T> {
    return deadline(this.connection.invoke<T>(method, ...args), PATIENCE);
  }

  async #invoke(): Promise<void> {
    while (!this.#stopped) {
      const begun = performance.now();
      assertEquals(await this.#call("number", this.#calls), this.#calls);
      this.#calls++;
      assertEquals(this.#messages, this.#calls, "messages are missing, doubled or out of turn");
      this.#answered.resolve();
      this.#answered = Promise.withResolvers();
      this.#longest = Math.max(this.#longest, performance.now() - begun);
      await delay(PAUSE);
    }
  }
}
