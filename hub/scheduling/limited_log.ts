import type { Clock } from "../clock.ts";
import type { Logger } from "../definition/logger.ts";

/** For how long one entry of a kind stands for the further ones, in milliseconds. */
const PERIOD = 60_000;
/** The most kinds that are told apart; the kinds beyond count as one. */
const MAXIMUM_KINDS = 1000;
/**
 * The most stacks that are read in a second. The text of a stack is made when it is read, which takes 0.2 ms:
 * a client that makes 1,000 calls fail must not keep the node busy with them.
 */
const STACKS_PER_SECOND = 20;

interface Kind {
  readonly level: keyof Logger;
  /** The text of the entry about further ones. */
  readonly text: string;
  readonly since: number;
  more: number;
}

/**
 * Logs what a client or the bus can cause again and again: the first entry of a kind at once, and then
 * one entry a minute that says how many more there were.
 */
export class LimitedLog {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, "now">;
  /** The oldest comes first. */
  readonly #kinds = new Map<string, Kind>();
  /** Where the last error of each text was made. */
  readonly #places = new Map<string, string>();
  /** When the second began in which stacks are read, and how many were. */
  #second = -Infinity;
  #stacks = 0;

  constructor(logger: Logger, clock: Pick<Clock, "now">) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /**
   * Logs `text` and the details, unless the kind was logged in the last minute. The entry about further
   * ones repeats `text`.
   */
  log(level: keyof Logger, kind: string, text: string, ...details: readonly unknown[]): void {
    if (this.#isNew(level, kind, text)) this.#write(level, text, ...details);
  }

  /** As {@link log}, of a `text` that names one client: the entry about further ones repeats `summary`. */
  logOne(
    level: keyof Logger,
    kind: string,
    summary: string,
    text: string,
    ...details: readonly unknown[]
  ): void {
    if (this.#isNew(level, kind, summary)) this.#write(level, text, ...details);
  }

  /**
   * Logs an error, unless one that was thrown at the same place and has the same `text` was logged in the
   * last minute. `text` names no value of a client. The first entry has the text `first`, which may. When
   * many errors come in a second, the further ones count for the place of the last one with that text.
   */
  failure(text: string, error: unknown, first: string = text): void {
    this.logOne("error", text + this.#placeOf(text, error), text, first, error);
  }

  /** Tells how many entries were left out, a minute after the first. Called by the heartbeat. */
  sweep(): void {
    const now = this.#clock.now();
    for (const [key, { level, text, since, more }] of this.#kinds) {
      if (now - since < PERIOD) return;
      this.#kinds.delete(key);
      if (more === 0) continue;
      this.#write(level, `${text} (${more === 1 ? "once" : `${more} times`} more in a minute)`);
      this.#kinds.set(key, { level, text, since: now, more: 0 });
    }
  }

  #placeOf(text: string, error: unknown): string {
    const now = this.#clock.now();
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#stacks = 0;
    }
    if (this.#stacks++ >= STACKS_PER_SECOND) return this.#places.get(text) ?? "";
    const place = placeOf(error);
    if (this.#places.size < MAXIMUM_KINDS || this.#places.has(text)) this.#places.set(text, place);
    return place;
  }

  /** Counts an entry; returns whether it is the first of its kind. */
  #isNew(level: keyof Logger, kind: string, text: string): boolean {
    const key = this.#kinds.size < MAXIMUM_KINDS || this.#kinds.has(kind) ? kind : "";
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.more++;
      return false;
    }
    this.#kinds.set(key, { level, text, since: this.#clock.now(), more: 0 });
    return true;
  }

  /** A logger that throws must not stop the work that is logged. */
  #write(level: keyof Logger, text: string, ...details: readonly unknown[]): void {
    try {
      this.#logger[level](text, ...details);
    } catch {
      // Nobody else can be told.
    }
  }
}

/** The line of the program that made an error: the text of the error may come from a client. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { message, stack = "" } = error;
  return stack.slice(stack.indexOf(message) + message.length).split("\n", 2)[1] ?? "";
}
