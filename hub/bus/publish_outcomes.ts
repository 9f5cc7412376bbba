import {
  BackplaneClosedError,
  BackplaneError,
  BackplaneUnavailableError,
} from "../../backplanes/errors.ts";

/** Whether the bus did not answer; else it has refused. */
export function isAway(error: unknown): error is BackplaneUnavailableError | BackplaneClosedError {
  return error instanceof BackplaneUnavailableError || error instanceof BackplaneClosedError;
}

/** How many different refusals are remembered, so that each is logged once and not once a message. */
const MAXIMUM_REFUSALS = 100;

function ignore(): void {}

/** Tells senders and the log whether the bus has accepted their messages. */
export class PublishOutcomes {
  readonly #logger: Pick<Console, "error">;
  #outageLogged = false;
  /** The refusals of single messages that have been logged. */
  readonly #refusalsLogged = new Set<string>();

  constructor(logger: Pick<Console, "error">) {
    this.#logger = logger;
  }

  /**
   * Resolves when the bus has accepted every message, and rejects with the first error; that error says
   * whether members on this node have the message. Returns nothing if nothing was published.
   */
  of(
    published: readonly Promise<unknown>[],
    deliveredLocally: boolean,
  ): Promise<void> | undefined {
    const [first] = published;
    if (first === undefined) return undefined;
    if (published.length > 1) return this.#all(published, deliveredLocally);
    return first.then(ignore, (error) => this.#failed(error, deliveredLocally));
  }

  /** The bus is back: the next failure is a new one, to be logged again. */
  recovered(): void {
    this.#outageLogged = false;
    this.#refusalsLogged.clear();
  }

  async #all(published: readonly Promise<unknown>[], deliveredLocally: boolean): Promise<void> {
    const outcomes = await Promise.allSettled(published);
    const [first, ...others] = outcomes.filter((outcome) => outcome.status === "rejected");
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
    if (isAway(error)) {
      if (this.#outageLogged) return;
      this.#outageLogged = true;
      this.#logger.error(
        `Messages do not reach other nodes until the backplane is back: ${error.message}`,
      );
      return;
    }
    // The message itself is at fault, such as its size or its channel: this is no outage.
    const refusal = String(error);
    if (this.#refusalsLogged.has(refusal)) return;
    if (this.#refusalsLogged.size >= MAXIMUM_REFUSALS) this.#refusalsLogged.clear();
    this.#refusalsLogged.add(refusal);
    this.#logger.error("Cannot publish a message to other nodes:", error);
  }
}
