import type { Backplane } from "../../backplanes/backplane.ts";
import {
  BackplaneClosedError,
  BackplaneError,
  BackplaneUnavailableError,
} from "../../backplanes/errors.ts";
import { type WritableInvocation, writeInvocation } from "./envelope.ts";

/** How many different refusals are remembered, so that each is logged once and not once a message. */
const REFUSALS = 100;

function ignore(): void {}

/** Hands invocations to the bus, and says honestly what a failure means. */
export class Publisher {
  readonly #backplane: Backplane;
  readonly #serverName: string;
  readonly #logger: Pick<Console, "error">;
  #outageLogged = false;
  /** What was said of messages that the bus refused for what they are. */
  readonly #refusalsLogged = new Set<string>();

  constructor(backplane: Backplane, serverName: string, logger: Pick<Console, "error">) {
    this.#backplane = backplane;
    this.#serverName = serverName;
    this.#logger = logger;
  }

  /** Hands `message` to the bus before it returns; what came of it is for {@link outcome}. */
  publish(
    channel: string,
    message: WritableInvocation,
    excluded: readonly string[] = [],
  ): Promise<unknown> {
    return this.#hand(channel, writeInvocation(message, excluded, this.#serverName));
  }

  /** As {@link publish} on every channel, for {@link outcomes}. */
  publishAll(channels: readonly string[], message: WritableInvocation): Promise<unknown>[] {
    const [channel] = channels;
    if (channel === undefined) return [];
    if (channels.length === 1) return [this.publish(channel, message)];
    // What the first publish causes may write payloads of its own.
    const payload = writeInvocation(message, [], this.#serverName).slice();
    return channels.map((channel) => this.#hand(channel, payload));
  }

  /**
   * Resolves when the bus has accepted what was published, and rejects with an error that tells what has
   * been delivered. `local` is how many connections of this node have it.
   */
  outcome(published: Promise<unknown>, local: number): Promise<void> {
    return published.then(ignore, (error) => this.#failed(error, local > 0));
  }

  /** As {@link outcome}, with the first error. Returns nothing if nothing was published. */
  outcomes(published: readonly Promise<unknown>[], local: number): Promise<void> | undefined {
    const [first] = published;
    if (first === undefined) return undefined;
    return published.length === 1 ? this.outcome(first, local) : this.#all(published, local > 0);
  }

  /** The bus is back: the next failure is a new one, to be logged again. */
  recovered(): void {
    this.#outageLogged = false;
    this.#refusalsLogged.clear();
  }

  /** A driver that throws would keep the message from the members here. */
  #hand(channel: string, payload: Uint8Array): Promise<unknown> {
    try {
      return this.#backplane.publish(channel, payload);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #all(published: readonly Promise<unknown>[], deliveredLocally: boolean): Promise<void> {
    const outcomes = await Promise.allSettled(published);
    const failures = outcomes.filter((outcome) => outcome.status === "rejected");
    const [first, ...others] = failures;
    if (first === undefined) return;
    // The caller is told of the first; one channel may be refused for another reason than the next.
    for (const { reason } of others) this.#log(reason);
    this.#failed(first.reason, deliveredLocally);
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
    if (error instanceof BackplaneUnavailableError || error instanceof BackplaneClosedError) {
      if (this.#outageLogged) return;
      this.#outageLogged = true;
      this.#logger.error(
        `Messages do not reach other nodes until the backplane is back: ${error.message}`,
      );
      return;
    }
    // The message's own fault, such as its size or its channel: no outage, and not to be taken for one.
    const refusal = String(error);
    if (this.#refusalsLogged.has(refusal)) return;
    if (this.#refusalsLogged.size >= REFUSALS) this.#refusalsLogged.clear();
    this.#refusalsLogged.add(refusal);
    this.#logger.error("Cannot publish a message to other nodes:", error);
  }
}
