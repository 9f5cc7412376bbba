import { BackplaneClosedError, BackplaneUnavailableError } from "../../backplanes/errors.ts";
import { Deadlines } from "../scheduling/deadlines.ts";
import { Sweep } from "../scheduling/sweep.ts";
import type { NodeContext } from "./node_context.ts";

/** The options of messages on their way to the bus. */
export interface OutgoingOptions {
  readonly outageTimeout: number;
  readonly repairBufferBytes: number;
}

/** The parts of a node that {@link Backlog} needs. */
export type BacklogContext = Pick<
  NodeContext<OutgoingOptions>,
  "backplane" | "clock" | "limitedLog" | "options" | "scheduler"
>;

/** What a message counts beside its bytes. */
const MESSAGE_BYTES = 256;

/** A message that waits for the bus. */
interface Waiting {
  readonly channel: string;
  readonly payload: Uint8Array;
  readonly bytes: number;
  resolve(outcome: Promise<unknown>): void;
  reject(error: Error): void;
}

/**
 * The messages of a hub that wait for the bus, in their order: at most `repairBufferBytes`, and each for
 * `outageTimeout`. A message whose wait is over is never published.
 */
export class Backlog {
  readonly #context: BacklogContext;
  readonly #publish: (channel: string, payload: Uint8Array) => Promise<unknown>;
  readonly #waiting = new Set<Waiting>();
  readonly #deadlines: Deadlines<Waiting>;
  readonly #leaving: Sweep<Waiting>;
  #bytes = 0;

  /** `publish` hands a message to the bus. */
  constructor(
    context: BacklogContext,
    publish: (channel: string, payload: Uint8Array) => Promise<unknown>,
  ) {
    this.#context = context;
    this.#publish = publish;
    const { clock, options: { outageTimeout } } = context;
    this.#deadlines = new Deadlines(clock, outageTimeout, (message) => {
      this.#withdraw(message);
      message.reject(away(`for ${outageTimeout} ms`));
    });
    const due = { [Symbol.iterator]: () => this.#due() };
    this.#leaving = new Sweep(context, due, (message) => {
      this.#withdraw(message);
      message.resolve(this.#publish(message.channel, message.payload));
    });
  }

  /** Whether a message has to wait: the bus is away, or earlier ones wait still. */
  get takes(): boolean {
    if (this.#waiting.size > 0) return true;
    const { backplane: { status }, options: { outageTimeout } } = this.#context;
    return status !== "open" && status !== "closed" && outageTimeout > 0;
  }

  /**
   * Keeps a message until the bus is back; resolves with what became of it.
   *
   * @throws {BackplaneUnavailableError} (rejects) if the wait is too long, or too much waits.
   */
  add(channel: string, payload: Uint8Array): Promise<unknown> {
    const bytes = payload.length + MESSAGE_BYTES;
    const { repairBufferBytes } = this.#context.options;
    if (this.#bytes + bytes > repairBufferBytes) {
      return Promise.reject(
        away(`and ${repairBufferBytes} bytes wait for it (repairBufferBytes)`),
      );
    }
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      const message = { channel, payload, bytes, resolve, reject };
      this.#waiting.add(message);
      this.#deadlines.begin(message);
    });
  }

  /** The bus is back: everything leaves, in bounded turns. */
  leave(): void {
    this.#leaving.begin();
  }

  /** Nothing leaves any more. */
  close(): void {
    const error = new BackplaneClosedError("the backplane was closed meanwhile");
    this.#deadlines.clear();
    for (const message of this.#waiting) message.reject(error);
    this.#waiting.clear();
  }

  *#due(): Generator<Waiting, void> {
    for (const message of this.#waiting) {
      if (this.#context.backplane.status !== "open") return;
      yield message;
    }
  }

  #withdraw(message: Waiting): void {
    this.#waiting.delete(message);
    this.#deadlines.end(message);
    this.#bytes -= message.bytes;
  }
}

function away(detail: string): BackplaneUnavailableError {
  return new BackplaneUnavailableError(`the backplane is away ${detail}`);
}
