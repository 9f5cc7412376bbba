import type { NodeContext } from "../bus/node_context.ts";

/** The time before the first knock on a door and between two knocks, in milliseconds. */
const INTERVAL = 250;
/** The most doors that are knocked on at a time; further doors wait until one of them is left. */
const MAXIMUM_DOORS = 1000;
/** How many doors are knocked on in one turn of the event loop. */
const MAXIMUM_PER_TURN = 256;
/**
 * How long the bus must have been open before an unheard knock counts, in milliseconds: after an outage
 * other nodes may not have subscribed yet.
 */
const SETTLING_TIME = 2000;
/** After how many unheard knocks in a row nobody is behind a door. */
const MAXIMUM_UNHEARD = 2;

/** A channel of other nodes. */
export interface Door {
  /** How many knocks may stay without an answer before nobody is behind the door. */
  readonly patience: number;
  /** How often the bus had been away at the last knock. */
  outages: number;
  /** How many knocks the bus has accepted since the knocks began, or since it was away. */
  accepted: number;
  /** How many of the last knocks no node has heard. */
  unheard: number;
}

/** The work of those who use {@link Knocks}. */
export interface Knocking<D extends Door> {
  /** Publishes a knock; resolves with how many nodes have heard the knock, if the bus counts. */
  knock(door: D): Promise<number | undefined>;
  /** Nobody is behind the door, which is not knocked on any more. */
  nobody(door: D): void;
}

/**
 * Knocks on doors until each is left, because somebody has answered, or nobody is behind it.
 *
 * Nobody is behind a door if two knocks in a row reached no node, or if more than
 * {@link Door.patience} accepted knocks have no answer. The counts begin anew when the bus has been away.
 */
export class Knocks<D extends Door> {
  readonly #context: Pick<NodeContext, "backplane" | "clock">;
  readonly #knocking: Knocking<D>;
  /** When the next knock on each door is due; the first comes first. */
  readonly #due = new Map<D, number>();
  readonly #queue = new Set<D>();
  /** Runs on when all doors are left: most are left before their first knock, and others follow. */
  #timer: Disposable | undefined;
  readonly #status: Disposable;
  #outages = 0;
  #openedAt: number;

  constructor(context: Pick<NodeContext, "backplane" | "clock">, knocking: Knocking<D>) {
    this.#context = context;
    this.#knocking = knocking;
    const { backplane, clock } = context;
    let isOpen = backplane.status === "open";
    this.#openedAt = clock.now();
    this.#status = backplane.onStatus(({ status }) => {
      if (!isOpen && status === "open") {
        this.#outages++;
        this.#openedAt = clock.now();
      }
      isOpen = status === "open";
    });
  }

  /** Knocks on a door from now on; without effect if that has begun already. */
  begin(door: D): void {
    if (this.#due.has(door)) return;
    if (this.#due.size >= MAXIMUM_DOORS) {
      this.#queue.add(door);
      return;
    }
    door.accepted = 0;
    door.unheard = 0;
    this.#due.set(door, this.#context.clock.now() + INTERVAL);
    if (this.#timer === undefined) this.#wait(INTERVAL);
  }

  /** Leaves a door; without effect if it is not knocked on. */
  end(door: D): void {
    if (!this.#due.delete(door)) return void this.#queue.delete(door);
    for (const next of this.#queue) {
      this.#queue.delete(next);
      return this.begin(next);
    }
  }

  /** Leaves all doors. */
  close(): void {
    this.#status[Symbol.dispose]();
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#queue.clear();
    this.#due.clear();
  }

  #wait(delay: number): void {
    this.#timer = this.#context.clock.after(delay, () => this.#look());
  }

  #look(): void {
    const now = this.#context.clock.now();
    let knocks = 0;
    for (const [door, due] of this.#due) {
      if (due > now) return this.#wait(due - now);
      // The event loop turns before the next ones.
      if (knocks++ === MAXIMUM_PER_TURN) return this.#wait(0);
      // Deleted first, so that the first stay first.
      this.#due.delete(door);
      this.#due.set(door, now + INTERVAL);
      this.#knock(door);
    }
    this.#timer = undefined;
  }

  #knock(door: D): void {
    if (this.#context.backplane.status !== "open") return;
    const outages = this.#outages;
    if (door.outages !== outages) {
      door.outages = outages;
      door.accepted = 0;
      door.unheard = 0;
    }
    if (door.accepted >= door.patience) return this.#nobody(door);
    const isSettled = this.#context.clock.now() - this.#openedAt >= SETTLING_TIME;
    this.#knocking.knock(door).then(
      (nodes) => {
        if (outages !== this.#outages) return;
        door.accepted++;
        door.unheard = nodes === 0 && isSettled ? door.unheard + 1 : 0;
        if (door.unheard >= MAXIMUM_UNHEARD) this.#nobody(door);
      },
      () => door.unheard = 0,
    );
  }

  #nobody(door: D): void {
    if (!this.#due.has(door)) return;
    this.end(door);
    this.#knocking.nobody(door);
  }
}
