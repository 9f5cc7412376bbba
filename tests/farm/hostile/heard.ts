/** A message as the rules of `specs/signalr-wire.md §8` read it; what is absent is not there. */
export interface Heard {
  readonly type: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly invocationId?: string;
  readonly target?: string;
  readonly arguments?: readonly unknown[];
  /** Why the arguments cannot be had; the call fails, and nothing else. */
  readonly bindingError?: string;
  readonly streamIds?: readonly string[];
  /** {@link UNREADABLE} if there is one that means nothing. */
  readonly item?: unknown;
  readonly result?: unknown;
  readonly error?: string;
  readonly allowReconnect?: boolean;
  readonly sequenceId?: number;
}

/** Stands for a value that is whole, and means nothing. */
export const UNREADABLE = Symbol("unreadable");

/** Bytes that break the rules, in the words that a client reads of it. */
export class Offence extends Error {
  constructor(message: string, name = "InvalidDataException") {
    super(message);
    this.name = name;
  }
}
