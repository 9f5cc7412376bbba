import type { Cluster } from "../bus/cluster.ts";
import { PIECES_AHEAD, type RelayedAnswer, type RelayReceipt } from "../bus/relay_messages.ts";
import type { Clock } from "../clock.ts";
import { PiecesIn } from "./pieces_in.ts";
import { type Piece, PiecesOut } from "./pieces_out.ts";
import { nothingYet, type Outcome, type RelayTerms, respond } from "./relay_terms.ts";

/** For how long nobody may hear a request before its home counts as gone, in milliseconds. */
const UNHEARD = 2000;

/** The parts of a node that an {@link OutwardRequest} needs. */
export interface OutwardContext {
  readonly serverName: string;
  readonly clock: Pick<Clock, "now">;
  readonly cluster: Pick<Cluster, "tell" | "status">;
  /** Calls back once at the end of the turn. */
  readonly atTurnEnd: (callback: () => void) => void;
}

/** Is told by an {@link OutwardRequest}. */
export interface OutwardListener {
  /** Something is to be repeated soon, unless the home answers. */
  wait(): void;
  /** The home has the request. */
  taken(): void;
  /** Nothing follows; `isAnswered` is whether the client has the whole answer. */
  over(isAnswered: boolean): void;
}

/** A request on its way to the home of its connection, and the answer on its way back. */
export class OutwardRequest {
  /** The id of the request at the home. */
  id = 0;
  /** The node that is asked. */
  home = "";
  readonly #context: OutwardContext;
  readonly #terms: RelayTerms;
  readonly #listener: OutwardListener;
  readonly #due: number;
  readonly #out: PiecesOut;
  #answer: PiecesIn | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;
  #isBegun = false;
  #isTaken = false;
  #isOver = false;
  /** When another node has heard this last. */
  #heard = 0;
  /** Whether a node may have acted on the body. */
  #mayBeDone = false;

  /** The home has to take the request within `timeout`, in milliseconds. */
  constructor(
    context: OutwardContext,
    terms: RelayTerms,
    timeout: number,
    listener: OutwardListener,
  ) {
    this.#context = context;
    this.#terms = terms;
    this.#listener = listener;
    this.#due = context.clock.now() + timeout;
    this.#out = new PiecesOut((piece) => this.#send(piece), context.atTurnEnd);
  }

  /** Whether nothing follows. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Asks a home, under an id. May be called again after `absent` and `gone`. */
  ask(home: string, id: number): Promise<Outcome> {
    if (this.#isOver) return Promise.resolve(new Response(null, { status: 204 }));
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.home = home;
    this.id = id;
    this.#settle = resolve;
    this.#heard = this.#context.clock.now();
    this.#listener.wait();
    const { signal, body } = this.#terms;
    if (signal?.aborted) this.cancel();
    else if (this.#isBegun) this.#out.repeat();
    else {
      this.#isBegun = true;
      signal?.addEventListener("abort", this.cancel, { once: true });
      if (body === null) this.#out.finish();
      else void this.#pump(body);
    }
    return promise;
  }

  /** The home has received pieces of the body. */
  receipt({ received, allowed }: RelayReceipt): void {
    this.#take();
    this.#out.receipt(received, allowed);
    if (this.#out.isPending) this.#listener.wait();
  }

  /** A piece of the answer has come. */
  answered(message: RelayedAnswer): void {
    this.#take();
    const { head, last, bytes, number } = message;
    if (this.#answer !== undefined) return void this.#answer.receive(message);
    // The bus may have lost the first piece: it comes again, and this one too.
    if (head === undefined || number !== 0) return;
    if (last) {
      this.#tell(1, 1 + PIECES_AHEAD);
      this.#finish(respond(head, bytes.length === 0 ? null : bytes.slice()), true);
      return;
    }
    const answer = this.#answer = new PiecesIn({
      receipt: (received, allowed) => this.#tell(received, allowed),
      over: (hasGone) => hasGone ? this.cancel() : this.#end(true),
    }, true);
    answer.receive(message);
    this.#answerWith(respond(head, answer.body));
  }

  /** The home does not have the connection, or cannot finish its answer. */
  refused(): void {
    this.#leave("absent");
  }

  /** The home is there no more. */
  homeEnded(): void {
    this.#leave("gone");
  }

  /** The home has been silent for a moment: repeats what it may not have. */
  repeat(): void {
    if (this.#isOver || this.#settle === undefined && !this.#isTaken) return;
    if (!this.#isTaken) {
      const now = this.#context.clock.now();
      if (now >= this.#due) return this.#give(this.#late);
      if (now - this.#heard >= UNHEARD) return this.#answerWith("gone");
    }
    // The home takes the request before a slow client has sent all of its body.
    if (this.#out.hasBegun) this.#out.repeat();
    else this.#out.begin();
    if (!this.#isTaken || this.#out.isPending) this.#listener.wait();
  }

  /** Asks a home that has the request whether that is still so. */
  check(): void {
    if (this.#isTaken && !this.#isOver) this.#tell(0, 0);
  }

  /** The client has gone. */
  readonly cancel = (): void => this.#give(new Response(null, { status: 204 }));

  /** No further home is asked. */
  abandon(): void {
    this.#end(false);
  }

  /** This node answers nothing any more. A poll ends without a message: the client polls another node. */
  close(): void {
    if (this.#answer?.endEarly() !== true) this.#answer?.breakOff();
    this.#give(this.#terms.verb === "poll" ? nothingYet() : this.#late);
  }

  get #late(): Outcome {
    return this.#mayBeDone ? "doubtful" : "late";
  }

  /** Tells the home that nobody waits any more. */
  #give(outcome: Outcome): void {
    if (this.#isOver) return;
    const { serverName: node, cluster } = this.#context;
    const { home, id } = this;
    if (id !== 0) void cluster.tell(home, { kind: "relayEnd", id, node, toHome: true });
    this.#finish(outcome, false);
  }

  async #pump(body: ReadableStream<Uint8Array>): Promise<void> {
    // The home takes the request before anything of a body comes whose length nobody knows.
    if (this.#terms.length === undefined) this.#out.begin();
    try {
      await this.#out.pump(body.getReader(), this.#terms.length);
    } catch {
      // The body broke off, and with it the client.
      this.cancel();
    }
  }

  #send({ number, last, bytes }: Piece): void {
    if (this.#isOver) return;
    const { cluster, clock, serverName: node } = this.#context;
    const { connectionId, verb, userId, expires, length, signal } = this.#terms;
    const { home, id } = this;
    const piece = { id, node, last, bytes };
    const watched = signal !== undefined;
    const terms = { connectionId, verb, watched, userId, expires, length };
    const isAway = cluster.status !== "open";
    const told = number > 0
      ? cluster.tell(home, { kind: "relayedBody", ...piece, number })
      : cluster.tell(home, { kind: "relayed", ...piece, ...terms });
    told.then((nodes) => {
      if (nodes === 0) return;
      this.#heard = clock.now();
      if (verb === "post" && !isAway) this.#mayBeDone = true;
    });
    this.#listener.wait();
  }

  #tell(received: number, allowed: number): void {
    const { cluster, serverName: node } = this.#context;
    const { home, id } = this;
    void cluster.tell(home, { kind: "relayReceipt", id, node, toHome: true, received, allowed });
  }

  /** The home does nothing more for the request: another one may, unless it has begun. */
  #leave(why: "absent" | "gone"): void {
    if (!this.#isTaken) return this.#answerWith(why);
    this.#answer?.breakOff();
    this.#finish("nowhere", false);
  }

  #take(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    this.#listener.taken();
  }

  #answerWith(outcome: Outcome): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }

  #finish(outcome: Outcome, isAnswered: boolean): void {
    this.#answerWith(outcome);
    this.#end(isAnswered);
  }

  #end(isAnswered: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#terms.signal?.removeEventListener("abort", this.cancel);
    this.#out.end();
    this.#listener.over(isAnswered);
  }
}
