/** After how many first uses the older ones are forgotten early. */
const MAXIMUM_USES = 250_000;

/**
 * The homes of connections whose tokens were used a short time ago, so that no token begins two connections.
 * A home is remembered for as long as the token could begin another connection, also after the connection
 * has ended.
 *
 * Two maps take turns, so that nothing has to be looked for: the older one is forgotten as a whole. After
 * 250,000 first uses that happens early, and then older tokens begin nothing any more.
 */
export class FirstUses {
  readonly #lifetime: number;
  readonly #most: number;
  #recent = new Map<string, string>();
  #older = new Map<string, string>();
  /** When the maps took turns. */
  #turned: number;
  /** Since when all first uses are in the recent map, and in the two together. */
  #recentFrom = -Infinity;
  #olderFrom = -Infinity;

  /**
   * A token may begin a connection for `lifetime` milliseconds; `now` is the date by this node's clock. Each map
   * has at most `most` homes.
   */
  constructor(lifetime: number, now: number, most: number = MAXIMUM_USES) {
    this.#lifetime = lifetime;
    this.#most = most;
    this.#turned = now;
  }

  /** How many homes are remembered. */
  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /** Whether a token may begin a connection; `doubt` is how far `issued` may be wrong, in milliseconds. */
  isFresh(issued: number, now: number, doubt: number = 0): boolean {
    this.sweep(now);
    return issued >= Math.max(now - this.#lifetime - doubt, this.#olderFrom);
  }

  /** The home of a connection that has begun. */
  get(id: string): string | undefined {
    return this.#recent.get(id) ?? this.#older.get(id);
  }

  /** A connection begins at `node`. */
  set(id: string, node: string, now: number): void {
    this.sweep(now);
    this.#recent.set(id, node);
  }

  /** Forgets what is due. Called by the heartbeat. */
  sweep(now: number): void {
    const isDue = now - this.#turned >= this.#lifetime;
    if (!isDue && this.#recent.size < this.#most) return;
    this.#older = this.#recent;
    this.#olderFrom = this.#recentFrom;
    this.#recent = new Map();
    this.#recentFrom = this.#turned = now;
  }
}
