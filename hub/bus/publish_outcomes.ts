import {
  BackplaneClosedError,
  BackplaneError,
  BackplaneUnavailableError,
} from "../../backplanes/errors.ts";
import type { NodeContext } from "./node_context.ts";

/** Whether the bus did not answer; else it has refused. */
export function isAway(error: unknown): error is BackplaneUnavailableError | BackplaneClosedError {
  return error instanceof BackplaneUnavailableError || error instanceof BackplaneClosedError;
}

function ignore(): void {}

/** A message on its way to the bus. */
export interface Published {
  /** Rejects if the bus does not take the message. */
  readonly accepted: Promise<unknown>;
  /** Resolves if others get the message although the bus has failed; else rejects with the reason. */
  readonly recover?: (error: unknown) => Promise<unknown>;
}

/** Tells senders and the log whether the bus has accepted their messages. */
export class PublishOutcomes {
  readonly #context: Pick<NodeContext, "logger" | "limitedLog">;
  #outageLogged = false;

  constructor(context: Pick<NodeContext, "logger" | "limitedLog">) {
    this.#context = context;
  }

  /**
   * Resolves when the bus has accepted every message, and rejects with the first error; that error says
   * whether members on this node have the message. Returns nothing if nothing was published.
   */
  of(
    published: readonly Published[],
    deliveredLocally: boolean,
  ): Promise<void> | undefined {
    const [first] = published;
    if (first === undefined) return undefined;
    if (published.length > 1) return this.#all(published, deliveredLocally);
    return first.accepted.then(ignore, async (error) => {
      if (first.recover === undefined) this.#failed(error, deliveredLocally);
      await first.recover(error).catch((error) => this.#failed(error, deliveredLocally));
    });
  }

  /** The bus is back: the next failure is a new one, to be logged again. */
  recovered(): void {
    this.#outageLogged = false;
  }

  async #all(published: readonly Published[], deliveredLocally: boolean): Promise<void> {
    const outcomes = await Promise.allSettled(
      published.map(({ accepted, recover }) => recover ? accepted.catch(recover) : accepted),
    );
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
      this.#context.logger.error(
        `Messages do not reach other nodes until the backplane is back: ${error.message}`,
      );
      return;
    }
    // The message itself is at fault, such as its size or its channel: this is no outage.
    const text = "Cannot publish a message to other nodes:";
    this.#context.limitedLog.log("error", kindOf(error), text, error);
  }
}

/** The text of an error without the names and numbers in it, which clients may have chosen. */
function kindOf(error: unknown): string {
  return String(error).replace(/".*"|\d+/gs, "");
}
