import { type FarmKey, SECRET_BYTES } from "../bus/node_messages.ts";

/** The most keys that nodes tell each other. */
const MAXIMUM_KEYS = 16;
/** How many other keys a node remembers that it has signed with, and for how long at least, in milliseconds. */
const MAXIMUM_FORMER = 4;
const REMEMBERED = 60_000;

/**
 * The keys of a farm, as one node knows them. The first node makes a key, and every sign carries all keys that
 * its node knows. Each node signs with the oldest one, so that all nodes sign with the same key, and a
 * token stays good when every node of the farm has been replaced. Two farms that meet know each other's keys.
 *
 * Of more than 16 keys all nodes keep the same ones, the oldest. Whatever others tell, a node also keeps the keys
 * that it has signed with in the last minute, because clients have tokens with them: it takes another key at
 * most four times a minute.
 */
export class KeyRing {
  readonly #date: () => number;
  /** The keys that are told; the oldest comes first. */
  #told: readonly FarmKey[] = [];
  /** The key that this node signs with. */
  #signing: FarmKey | undefined;
  /** The keys that it has signed with before, and until when; the last one comes first. */
  #former: readonly { readonly key: FarmKey; readonly until: number }[] = [];

  /** `date` is the clock of this node, in epoch milliseconds. */
  constructor(date: () => number) {
    this.#date = date;
  }

  /** The key that this node signs with; made now if no key is known. */
  get signing(): FarmKey {
    const [oldest = this.#make()] = this.#told;
    const key = this.#signing ??= oldest;
    if (key === oldest) return key;
    const until = this.#date();
    const first = this.#former[MAXIMUM_FORMER - 1];
    if (first !== undefined && until - first.until < REMEMBERED) return key;
    this.#former = [{ key, until }, ...this.#former.slice(0, MAXIMUM_FORMER - 1)];
    return this.#signing = oldest;
  }

  /** The keys for a sign. */
  get told(): readonly FarmKey[] {
    return this.#told;
  }

  /** The keys that a token with `tag` may be signed with: one, as a rule. */
  withTag(tag: number): readonly FarmKey[] {
    const keys = this.#told.filter((key) => key.tag === tag);
    const own = this.#signing;
    if (own?.tag === tag && !keys.includes(own)) keys.push(own);
    for (const { key } of this.#former) {
      if (key.tag === tag && !keys.includes(key)) keys.push(key);
    }
    return keys;
  }

  /** Takes the keys of another node over. Returns whether that node lacks some of this one's. */
  learn(keys: readonly FarmKey[]): boolean {
    const news = keys.filter((key) => !includes(this.#told, key));
    if (news.length > 0) {
      // The bytes of a message are the bus's again.
      const copies = news.map((key) => ({ ...key, secret: key.secret.slice() }));
      this.#told = [...this.#told, ...copies].sort(compare).slice(0, MAXIMUM_KEYS);
    }
    return this.#told.some((key) => !includes(keys, key));
  }

  #make(): FarmKey {
    const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
    const [tag = 0] = crypto.getRandomValues(new Uint16Array(1));
    const key = { created: this.#date(), tag, secret };
    this.#told = [key];
    return key;
  }
}

function includes(keys: readonly FarmKey[], key: FarmKey): boolean {
  return keys.some((other) => compare(other, key) === 0);
}

/** Orders keys by their age, and keys of one age in the same way on every node. */
function compare(a: FarmKey, b: FarmKey): number {
  const difference = a.created - b.created || a.tag - b.tag;
  if (difference !== 0) return difference;
  const at = a.secret.findIndex((byte, index) => byte !== b.secret[index]);
  return at < 0 ? 0 : (a.secret[at] ?? 0) - (b.secret[at] ?? 0);
}
