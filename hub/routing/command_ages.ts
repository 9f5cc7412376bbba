import type { NodeContext } from "../bus/node_context.ts";
import { ExpiringMap, type ExpiryContext } from "./expiring_map.ts";

/** For how long, and for how many nodes, ids are remembered. Names of nodes come from the bus. */
const RETENTION = 600_000;
const MAXIMUM_NODES = 1000;
/** Ids start again after 2^31 commands. */
const HALF = 2 ** 30;

/** Ids up to `id` were first heard at `at` at the latest. */
interface Mark {
  readonly at: number;
  readonly id: number;
}

/** The ids of one node. */
interface Ids {
  highest: Mark;
  /** The oldest comes first. */
  marks: Mark[];
}

/**
 * Tells by its id whether a command of another node comes too late: a later command of that node was heard so
 * long ago that the node waits for none of the two any more. A bus that hung, and one of several buses, may
 * bring a copy of a command at any time.
 */
export class CommandAges {
  readonly #clock: NodeContext["clock"];
  readonly #timeout: number;
  readonly #nodes: ExpiringMap<Ids>;

  /** Nodes wait `timeout` milliseconds for a command. */
  constructor(context: ExpiryContext, timeout: number) {
    this.#clock = context.clock;
    this.#timeout = timeout;
    this.#nodes = new ExpiringMap(context, RETENTION, MAXIMUM_NODES);
  }

  /** Notes that a command has come, and returns whether it comes too late. */
  heard(node: string, id: number): boolean {
    const now = this.#clock.now();
    const ids = this.#nodes.get(node);
    if (ids === undefined || ids.highest.id - id >= HALF) {
      this.#nodes.set(node, { highest: { at: now, id }, marks: [] });
      return false;
    }
    if (id > ids.highest.id) {
      if (id - ids.highest.id < HALF) this.#raise(node, ids, { at: now, id });
      return false;
    }
    const due = now - this.#timeout;
    return [...ids.marks, ids.highest].some((mark) => mark.id >= id && mark.at <= due);
  }

  /** Forgets what is due. Called by the heartbeat. */
  sweep(): void {
    this.#nodes.sweep();
  }

  #raise(node: string, ids: Ids, highest: Mark): void {
    const before = ids.highest;
    ids.highest = highest;
    const { marks } = ids;
    const last = marks.at(-1)?.at ?? -Infinity;
    // Copies are known by themselves for twice the timeout, so marks may be this far apart.
    if (before.at - last < this.#timeout / 2) return;
    const due = highest.at - this.#timeout;
    const oldest = marks.findLastIndex(({ at }) => at <= due);
    ids.marks = [...marks.slice(Math.max(oldest, 0)), before];
    // Set again, so that a node is forgotten some time after it was heard.
    this.#nodes.set(node, ids);
  }
}
