import type { Deferred, ProtocolHandler } from "nats/lib/nats-base-client/internal_mod.js";

/** Makes what NATS's client keeps for a PING; the client calls `read` while it reads the PONG. */
export function pongOf(read: () => void): Deferred<void> {
  // A promise alone would settle too late: the next line may be about another command.
  return Object.assign(Promise.resolve(), { resolve: read, reject: () => {} });
}

/** The part of NATS's client that sends PINGs, and keeps one entry for each awaited PONG. */
export type PingingProtocol = Pick<ProtocolHandler, "flush" | "pongs">;

/** A command that the server may refuse, and the refusal that was read before its PONG. */
interface Refusable {
  refusal?: Error;
}

/**
 * Waits for the answers to commands: a PING follows each command, and the server handles the commands
 * of a connection in order. So an error of the server belongs to the command whose PONG comes next.
 */
export class Answers {
  readonly #protocol: PingingProtocol;
  /** Rejects the waiting commands; the client's own promise never settles when the connection is cut. */
  readonly #waiting = new Set<(error: Error) => void>();
  /** The commands that the server may refuse, by the PONG behind each. */
  readonly #refusable = new Map<Deferred<void>, Refusable>();
  #failure: Error | undefined;

  constructor(protocol: PingingProtocol) {
    this.#protocol = protocol;
  }

  /** Sends a PING; resolves when the server has handled all earlier commands. */
  flush(): Promise<void> {
    return this.#ping();
  }

  /** As {@link flush}, for a command that the server may refuse; resolves with the refusal. */
  async asked(): Promise<Error | undefined> {
    const command: Refusable = {};
    await this.#ping(command);
    return command.refusal;
  }

  /** The refusal of the command whose PONG comes next, if that was read already. */
  get refusal(): Error | undefined {
    return this.#next()?.refusal;
  }

  /** Refuses the command whose PONG comes next; returns `false` if that command cannot be refused. */
  refuse(error: Error): boolean {
    const command = this.#next();
    if (command !== undefined) command.refusal ??= error;
    return command !== undefined;
  }

  /** The connection has ended: rejects waiting and all later commands with `error`. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const reject of this.#waiting) reject(this.#failure);
    this.#waiting.clear();
  }

  #next(): Refusable | undefined {
    const [pong] = this.#protocol.pongs;
    return pong && this.#refusable.get(pong);
  }

  #ping(command?: Refusable): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const pong = pongOf(() => {
      this.#waiting.delete(reject);
      this.#refusable.delete(pong);
      resolve();
    });
    this.#waiting.add(reject);
    if (command !== undefined) this.#refusable.set(pong, command);
    this.#protocol.flush(pong);
    return promise;
  }
}
