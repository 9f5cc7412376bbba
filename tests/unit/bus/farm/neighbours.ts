/** For how long a node is silent when a sign is missing and when it counts as dead, and how long one that was heard keeps others from being alone. */
const MISSING = 1500;
const DEAD = 5000;
const LONELY = 8000;
/** A pause between two heartbeats that is longer means that this node stood still. */
const LONGEST_PAUSE = 2500;

interface Neighbour {
  heardAt: number;
  /** The number of the last sign; 0 before the first. */
  sign: number;
  dead: boolean;
}

/** The other nodes, and whether they live: a few lines of what `hub/cluster` does. */
export class Neighbours {
  readonly #all = new Map<string, Neighbour>();
  readonly #died: (name: string) => void;
  /** Silence before this moment does not count. */
  #listensFrom: number;
  #beatAt: number;

  constructor(now: number, died: (name: string) => void) {
    this.#died = died;
    this.#listensFrom = this.#beatAt = now;
  }

  /** Whether a node was ever heard. */
  knows(name: string): boolean {
    return this.#all.has(name);
  }

  /** Whether a node was heard and counts as dead. */
  isDead(name: string): boolean {
    return this.#all.get(name)?.dead ?? false;
  }

  /** Whether no sign of a node is missing. */
  hears(name: string, now: number): boolean {
    const { dead = false, heardAt = 0 } = this.#all.get(name) ?? {};
    return !dead && now - Math.max(heardAt, this.#listensFrom) <= MISSING;
  }

  /** A node was heard; returns whether a sign before this one is missing. */
  heard(name: string, now: number, sign?: number): boolean {
    let neighbour = this.#all.get(name);
    if (neighbour === undefined) {
      neighbour = { heardAt: now, sign: 0, dead: false };
      this.#all.set(name, neighbour);
    }
    if (sign === undefined) return false;
    const missed = neighbour.sign !== 0 && sign > neighbour.sign + 1;
    Object.assign(neighbour, { heardAt: now, sign, dead: false });
    return missed;
  }

  /** Whether no other node is there, or was lately, as far as this node would have heard. */
  isAlone(now: number): boolean {
    if (this.#listensFrom > now - LONELY) return false;
    for (const { dead, heardAt } of this.#all.values()) {
      if (!dead || heardAt > now - LONELY) return false;
    }
    return true;
  }

  /** This node hears again. */
  listensFrom(now: number): void {
    this.#listensFrom = now;
  }

  /** The heartbeat of this node. */
  beat(now: number): void {
    if (now - this.#beatAt > LONGEST_PAUSE) this.#listensFrom = now;
    this.#beatAt = now;
  }

  /** Judges those that are silent. */
  judge(now: number): void {
    for (const [name, neighbour] of this.#all) {
      if (neighbour.dead || now - Math.max(neighbour.heardAt, this.#listensFrom) <= DEAD) continue;
      neighbour.dead = true;
      this.#died(name);
    }
  }
}
