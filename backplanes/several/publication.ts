import type { Backplane } from "../backplane.ts";
import { BackplaneClosedError, BackplaneError, BackplaneUnavailableError } from "../errors.ts";
import { attempt } from "./attempt.ts";

/** A bus that has not accepted a message. */
export interface Failure {
  readonly backplane: Backplane;
  readonly error: Error;
  /** Whether the bus was open when it got the message, so that the message may have reached somebody. */
  readonly open: boolean;
}

/** The owner of the buses. */
export interface PublicationOwner {
  /** Why no bus can be used any more, if so. */
  readonly closed: BackplaneClosedError | undefined;
  /** All have answered: some have not accepted a message that another has. */
  refused(failures: readonly Failure[]): void;
}

/** One message, while several buses are asked to accept it. The first that does decides. */
export class Publication {
  readonly #counted: boolean;
  readonly #settle: PromiseWithResolvers<number | undefined>;
  readonly #owner: PublicationOwner;
  #left: number;
  #accepted = false;
  /** Whether somebody may have the message, although no bus has counted anybody. */
  #unknown = false;
  readonly #failures: Failure[] = [];

  /** `buses` is how many buses are asked. */
  constructor(buses: number, counted: boolean, owner: PublicationOwner) {
    this.#left = buses;
    this.#counted = counted;
    this.#owner = owner;
    this.#settle = Promise.withResolvers();
  }

  /** As {@link Backplane.publish}. */
  get outcome(): Promise<number | undefined> {
    return this.#settle.promise;
  }

  /** Hands the message to a bus before this returns. */
  hand(backplane: Backplane, channel: string, payload: Uint8Array): void {
    const open = backplane.status === "open";
    attempt(() => backplane.publish(channel, payload, this.#counted)).then(
      (count) => this.#take(count),
      (error) => this.#failed({ backplane, error: toError(error), open }),
    );
  }

  /** A bus has accepted the message; `count` is the number of subscribers that it has reached. */
  #take(count: number | undefined): void {
    this.#accepted = true;
    this.#unknown ||= count === undefined;
    // That nobody has the message is known only when every bus has said so.
    if (!this.#counted) this.#settle.resolve(undefined);
    else if (count !== undefined && count > 0) this.#settle.resolve(count);
    this.#answered();
  }

  #failed(failure: Failure): void {
    this.#failures.push(failure);
    this.#unknown ||= failure.open;
    this.#answered();
  }

  #answered(): void {
    if (--this.#left > 0) return;
    if (!this.#accepted) {
      return this.#settle.reject(this.#owner.closed ?? mostTelling(this.#failures));
    }
    this.#settle.resolve(this.#unknown ? undefined : 0);
    if (this.#failures.length > 0) this.#owner.refused(this.#failures);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new BackplaneError(String(error));
}

/** The error of a bus that may bring the message, or that may come back; else one that says why. */
function mostTelling(failures: readonly Failure[]): Error | undefined {
  const errors = failures.map(({ error }) => error);
  const away = errors.filter((error) => error instanceof BackplaneUnavailableError);
  return away.find(({ handedOver }) => handedOver !== false) ?? away[0] ??
    errors.find((error) => !(error instanceof BackplaneClosedError)) ?? errors[0];
}
