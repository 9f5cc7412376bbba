import type { Seek as Question, Sought } from "../bus/relay_messages.ts";
import { BoundedMap } from "./bounded_map.ts";
import { type Found, Seek, type SeekContext, type Wanted } from "./seek.ts";

/** How many homes, and how many connections that nobody has, are remembered. */
const MAXIMUM_KNOWN = 10_000;
/** For how long nobody is asked again about a connection that nobody has, in milliseconds. */
const NOBODY = 5000;

/**
 * Knows the homes of connections, or asks for them: for one connection at a time, however many requests wait
 * for the answer.
 */
export class Locator {
  readonly #context: SeekContext;
  readonly #timeout: number;
  readonly #homes = new BoundedMap<string, string>(MAXIMUM_KNOWN);
  /** The connections that nobody has, and until when that counts. */
  readonly #nobody = new BoundedMap<string, number>(MAXIMUM_KNOWN);
  readonly #seeks = new Map<string, { readonly seek: Seek; readonly found: Promise<Found> }>();
  readonly #questions = new Map<number, Seek>();
  #lastId = 0;

  /** A search takes at most `timeout`, in milliseconds. */
  constructor(context: SeekContext, timeout: number) {
    this.#context = context;
    this.#timeout = timeout;
  }

  /** The home of a connection, as far as it is known and lives. */
  known(connectionId: string): string | undefined {
    const home = this.#homes.get(connectionId);
    return home !== undefined && this.#context.cluster.lives(home) ? home : undefined;
  }

  /** The home does not have the connection. */
  forget(connectionId: string): void {
    this.#homes.delete(connectionId);
  }

  /** Looks for the home of a connection. */
  find(wanted: Wanted): Found | Promise<Found> {
    const { connectionId } = wanted;
    const until = this.#nobody.get(connectionId);
    if (until !== undefined && this.#context.clock.now() < until) return "nowhere";
    return this.#seeks.get(connectionId)?.found ?? this.#seek(wanted);
  }

  /** A node has answered. An answer to an unknown question is ignored. */
  answered({ id, node, home }: Sought): void {
    this.#questions.get(id)?.answered(id, node, home);
  }

  /** Answers another node; `home` is the home as far as this node knows. */
  answer({ id, node: asking }: Question, home: string | undefined): void {
    const { serverName: node, cluster } = this.#context;
    void cluster.tell(asking, { kind: "sought", id, node, home });
  }

  /** A node is there no more. */
  ended(node: string): void {
    for (const { seek } of this.#seeks.values()) seek.ended(node);
  }

  /** Ends all searches. */
  close(): void {
    for (const { seek } of this.#seeks.values()) seek.end("late");
  }

  #seek(wanted: Wanted): Promise<Found> {
    const { connectionId } = wanted;
    const { promise: found, resolve } = Promise.withResolvers<Found>();
    const newId = (seek: Seek, old: number) => {
      this.#questions.delete(old);
      this.#questions.set(++this.#lastId, seek);
      return this.#lastId;
    };
    const seek = new Seek(this.#context, wanted, this.#timeout, newId, (found) => {
      this.#seeks.delete(connectionId);
      this.#questions.delete(seek.channelId);
      this.#questions.delete(seek.nodesId);
      if (typeof found !== "string") this.#homes.set(connectionId, found.node);
      if (found === "nowhere" && !wanted.mayBegin) {
        this.#nobody.set(connectionId, this.#context.clock.now() + NOBODY);
      }
      resolve(found);
    });
    this.#seeks.set(connectionId, { seek, found });
    seek.ask();
    return found;
  }
}
