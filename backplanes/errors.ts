/**
 * The errors of a backplane. A caller's mistake (an empty channel name, a payload the bus cannot
 * carry) is a built-in `RangeError` or `TypeError`; these classes are for what the bus does.
 *
 * @module
 */

/** Options of the errors below. */
export interface BackplaneErrorOptions extends ErrorOptions {
  /** See {@link BackplaneError.deliveredLocally}; given by a hub only. */
  readonly deliveredLocally?: boolean;
  /** See {@link BackplaneError.handedOver}. */
  readonly handedOver?: boolean;
}

/** The bus did not do what it was asked; the parent of the other two classes. */
export class BackplaneError extends Error {
  /**
   * Set by a hub's `send`: whether members on this node already have the message, so that only
   * members on other nodes may lack it. `undefined` where a backplane itself rejects.
   */
  declare readonly deliveredLocally?: boolean;
  /**
   * `false` if a rejected publish has certainly not reached the bus, now or later. A driver says so where
   * it knows it: the message may then be published again.
   */
  declare readonly handedOver?: boolean;

  /** Makes the error; `options.cause` keeps what the bus's own client said. */
  constructor(message: string, options?: BackplaneErrorOptions) {
    super(message, options);
    this.name = "BackplaneError";
    if (options?.deliveredLocally !== undefined) this.deliveredLocally = options.deliveredLocally;
    if (options?.handedOver !== undefined) this.handedOver = options.handedOver;
  }
}

/**
 * The bus is away, or did not answer in time. The operation may be tried again, but a publish that
 * was rejected may still have arrived (once at most): repeat it only where twice does no harm.
 */
export class BackplaneUnavailableError extends BackplaneError {
  /** The name of this class. */
  override readonly name: string = "BackplaneUnavailableError";
}

/**
 * The backplane is closed for good: by `close()`, or because its first connection failed in a way
 * that no retry can cure (`cause` is then that error: a wrong password, a refused certificate).
 */
export class BackplaneClosedError extends BackplaneError {
  /** The name of this class. */
  override readonly name: string = "BackplaneClosedError";
}
