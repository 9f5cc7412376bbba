import type { Cluster } from "../bus/cluster.ts";
import type { RelayedBody, RelayedRequest, RelayReceipt } from "../bus/relay_messages.ts";
import type { Clock } from "../clock.ts";
import { PiecesIn } from "./pieces_in.ts";
import { type Piece, PiecesOut } from "./pieces_out.ts";

/** A request that another node relays, as this node serves it. */
export interface ServedRequest extends Pick<RelayedRequest, "connectionId" | "verb" | "watched"> {
  readonly userId: string | undefined;
  readonly expires: number | undefined;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** The length of the body that the client has announced. */
  readonly length: number | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** How a request is served. */
export interface Serving {
  readonly response: Promise<Response> | Response;
  /** The client does not get all of the answer, and may not notice. */
  lost(): void;
}

/** Serves a request for a connection of this node; `undefined` if the connection is not here. */
export type Serve = (request: ServedRequest) => Serving | undefined;

/** The parts of a node that an {@link InwardRequest} needs. */
export interface InwardContext {
  readonly serverName: string;
  readonly clock: Pick<Clock, "now">;
  readonly cluster: Pick<Cluster, "tell" | "status">;
  /** Calls back once at the end of the turn. */
  readonly atTurnEnd: (callback: () => void) => void;
}

/** Is told by an {@link InwardRequest}. */
export interface InwardListener {
  /** Something is to be repeated soon, unless the relay answers. */
  wait(): void;
  /** Nothing follows. */
  over(): void;
}

/** A request that another node relays for a connection of this node, and the answer on its way there. */
export class InwardRequest {
  /** The node that relays. */
  readonly relay: string;
  readonly id: number;
  readonly #context: InwardContext;
  readonly #listener: InwardListener;
  /** For how long the relay may take nothing of the answer, in milliseconds. */
  readonly #patience: number;
  readonly #out: PiecesOut;
  readonly #in: PiecesIn;
  readonly #gone = new AbortController();
  #serving: Serving | undefined;
  #response: Response | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Since when the relay has taken nothing of what it could take, while the bus was there. */
  #progress = 0;
  /** The last piece that was sent. */
  #latest = -1;
  #isOver = false;

  constructor(
    context: InwardContext,
    { node, id }: RelayedRequest,
    patience: number,
    listener: InwardListener,
  ) {
    this.relay = node;
    this.id = id;
    this.#context = context;
    this.#patience = patience;
    this.#listener = listener;
    this.#out = new PiecesOut((piece) => this.#send(piece), context.atTurnEnd);
    const receipt = (received: number, allowed: number) => this.#tell(received, allowed);
    this.#in = new PiecesIn({ receipt, over() {} }, false);
  }

  /** Serves the request; returns whether its connection is here. */
  begin(message: RelayedRequest, serve: Serve): boolean {
    const { connectionId, verb, watched, userId, expires, length, last, bytes } = message;
    const hasBody = !last || bytes.length > 0;
    const request = { connectionId, verb, watched, userId, expires, length };
    const serving = this.#serving = serve({
      ...request,
      body: hasBody ? this.#in.body : null,
      signal: this.#gone.signal,
    });
    if (serving === undefined) return false;
    this.#in.take({ number: 0, last, bytes });
    void this.#answer(serving);
    // The answer to a request that is answered at once also says that the request is here.
    this.#context.atTurnEnd(() => {
      if (!this.#out.hasBegun) this.#in.tell();
    });
    return true;
  }

  /** The relay has repeated the request. */
  repeated(): void {
    if (this.#out.hasBegun) this.#out.repeat();
    else this.#in.tell();
  }

  /** A piece of the body of the request has come. */
  receive(piece: RelayedBody): void {
    this.#in.receive(piece);
  }

  /** The relay has taken pieces of the answer. */
  receipt({ received, allowed }: RelayReceipt): void {
    if (this.#out.receipt(received, allowed)) this.#progress = this.#context.clock.now();
    if (this.#out.isDone) return this.#end();
    if (this.#out.isPending) this.#listener.wait();
  }

  /** The relay has been silent for a moment: repeats what it may not have. */
  repeat(): void {
    if (this.#isOver || !this.#out.isPending) return;
    const { clock, cluster } = this.#context;
    const now = clock.now();
    if (cluster.status !== "open") this.#progress = now;
    if (now - this.#progress > this.#patience) return this.fail();
    this.#out.repeat();
    this.#listener.wait();
  }

  /** Nobody gets the answer; tells the relay, which may still wait. */
  fail(): void {
    if (this.#isOver) return;
    const { cluster, serverName: node } = this.#context;
    void cluster.tell(this.relay, { kind: "relayEnd", id: this.id, node, toHome: false });
    this.cancelled();
  }

  /** Nobody waits for the answer any more. */
  cancelled(): void {
    if (this.#isOver) return;
    const isLost = this.#out.owesBytes;
    this.#end();
    this.#gone.abort();
    this.#in.breakOff();
    this.#reader?.cancel().catch(() => {});
    if (isLost) this.#serving?.lost();
  }

  async #answer({ response }: Serving): Promise<void> {
    try {
      const answer = this.#response = await response;
      const { body } = answer;
      if (this.#isOver) return void body?.cancel().catch(() => {});
      if (body === null) return this.#out.finish();
      const reader = this.#reader = body.getReader();
      // A relay that does not know whether its client is there has to begin the answer.
      this.#out.begin();
      await this.#out.pump(reader);
    } catch {
      this.fail();
    }
  }

  #send({ number, last, bytes }: Piece): void {
    if (this.#isOver || this.#response === undefined) return;
    const { clock, cluster, serverName: node } = this.#context;
    if (number > this.#latest && this.#out.pending === 1) this.#progress = clock.now();
    this.#latest = Math.max(this.#latest, number);
    const { status, headers } = this.#response;
    const length = headers.get("content-length");
    const type = headers.get("content-type") ?? "";
    const head = { status, type, length: length === null ? undefined : Number(length) };
    const piece = { id: this.id, node, number, last, bytes };
    const first = number === 0 ? head : undefined;
    void cluster.tell(this.relay, { kind: "relayedAnswer", ...piece, head: first });
    this.#listener.wait();
  }

  #tell(received: number, allowed: number): void {
    const { cluster, serverName: node } = this.#context;
    const receipt = { id: this.id, node, toHome: false, received, allowed };
    void cluster.tell(this.relay, { kind: "relayReceipt", ...receipt });
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#out.end();
    this.#listener.over();
  }
}
