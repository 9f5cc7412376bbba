import type { IStreamResult, ISubscription } from "@microsoft/signalr";
import { bounded, Events } from "./wait.ts";

/** Reads a stream of the official client. */
export class StreamReader {
  /** What has come. */
  readonly items: Events<unknown> = new Events();
  readonly #subscription: ISubscription<unknown>;
  readonly #end = Promise.withResolvers<string | undefined>();

  constructor(stream: IStreamResult<unknown>) {
    this.#subscription = stream.subscribe({
      next: this.items.add,
      error: (error: Error) => this.#end.resolve(error.message),
      complete: () => this.#end.resolve(undefined),
    });
  }

  /** Resolves with the text of the error that the stream ended in, or with nothing. */
  get end(): Promise<string | undefined> {
    return bounded(this.#end.promise);
  }

  /** Wants no more. */
  cancel(): void {
    this.#subscription.dispose();
  }

  /** Every item of a stream, and the text of the error that it ended in. */
  static async all(stream: IStreamResult<unknown>): Promise<[unknown[], string | undefined]> {
    const reader = new StreamReader(stream);
    const error = await reader.end;
    return [reader.items.all, error];
  }
}
