import type { Backplane } from "../../backplanes/backplane.ts";
import {
  BackplaneClosedError,
  BackplaneError,
  BackplaneUnavailableError,
} from "../../backplanes/errors.ts";
import { type WritableInvocation, writeInvocation } from "./envelope.ts";

/** What a `send` gives that needs nothing of the bus. */
export const NOTHING_TO_SEND: Promise<void> = Promise.resolve();

function ignore(): void {}

/** Hands invocations to the bus, and says honestly what a failure means. */
export class Publisher {
  readonly #backplane: Backplane;
  readonly #serverName: string;
  readonly #logger: Pick<Console, "error">;
  #outageLogged = false;

  constructor(backplane: Backplane, serverName: string, logger: Pick<Console, "error">) {
    this.#backplane = backplane;
    this.#serverName = serverName;
    this.#logger = logger;
  }

  /**
   * Publishes `message` on `channel` before it returns; resolves when the bus has accepted it, and
   * rejects with an error that tells what has been delivered. `local` is how many connections of this
   * node have it already.
   */
  publish(
    channel: string,
    message: WritableInvocation,
    excluded: readonly string[],
    local: number,
  ): Promise<void> {
    const payload = writeInvocation(message, excluded, this.#serverName);
    return this.#backplane.publish(channel, payload).then(
      ignore,
      (error) => this.#failed(error, local > 0),
    );
  }

  /** As {@link publish} on every channel: all are tried, then it rejects with the first error. */
  publishAll(
    channels: readonly string[],
    message: WritableInvocation,
    excluded: readonly string[],
    local: number,
  ): Promise<void> {
    const [channel] = channels;
    if (channel === undefined) return NOTHING_TO_SEND;
    if (channels.length === 1) return this.publish(channel, message, excluded, local);
    // What the first publish causes may write payloads of its own.
    const payload = writeInvocation(message, excluded, this.#serverName).slice();
    const published = channels.map((channel) => this.#backplane.publish(channel, payload));
    return this.#accepted(published, local > 0);
  }

  /** The bus is back: the next failure is a new outage, to be logged again. */
  recovered(): void {
    this.#outageLogged = false;
  }

  async #accepted(
    published: readonly Promise<unknown>[],
    deliveredLocally: boolean,
  ): Promise<void> {
    for (const outcome of await Promise.allSettled(published)) {
      if (outcome.status === "rejected") this.#failed(outcome.reason, deliveredLocally);
    }
  }

  #failed(error: unknown, deliveredLocally: boolean): never {
    this.#log(error);
    const kind = error instanceof BackplaneUnavailableError
      ? BackplaneUnavailableError
      : error instanceof BackplaneClosedError
      ? BackplaneClosedError
      : BackplaneError;
    const why = error instanceof Error ? error.message : String(error);
    throw new kind(`Cannot reach members on other nodes: ${why}`, {
      cause: error,
      deliveredLocally,
    });
  }

  #log(error: unknown): void {
    if (!(error instanceof BackplaneError)) {
      // The message's own fault, such as its size: no outage, and not to be taken for one.
      this.#logger.error("Cannot publish a message to other nodes:", error);
    } else if (!this.#outageLogged) {
      this.#outageLogged = true;
      this.#logger.error(
        `Messages do not reach other nodes until the backplane is back: ${error.message}`,
      );
    }
  }
}
