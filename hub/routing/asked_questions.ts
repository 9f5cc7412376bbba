import { ExpiringMap, type ExpiryContext } from "./expiring_map.ts";

/** For how long, in milliseconds, and how many questions are remembered. */
const RETENTION = 600_000;
const MAXIMUM = 10_000;

/** The questions of other nodes that clients of this node were asked. One of several buses may bring a copy late. */
export class AskedQuestions {
  readonly #ids: ExpiringMap<true>;

  constructor(context: ExpiryContext) {
    this.#ids = new ExpiringMap(context, RETENTION, MAXIMUM);
  }

  /** Notes a question, and returns whether it has come before. */
  isCopy(invocationId: string): boolean {
    if (this.#ids.has(invocationId)) return true;
    this.#ids.set(invocationId, true);
    return false;
  }

  /** Forgets what is due. Called by the heartbeat. */
  sweep(): void {
    this.#ids.sweep();
  }
}
