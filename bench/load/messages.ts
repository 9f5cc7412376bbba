import type { Connection } from "./connection.ts";
import type { Call, Dialect } from "./dialects/dialect.ts";
import type { Connections } from "./connections.ts";
import { Histogram } from "./histogram.ts";
import { EMPTY_TOKEN, tokenIndex, writeToken } from "./tokens.ts";

/** A message to send, and the number of times that it must arrive. */
export interface Message {
  readonly from: Connection;
  readonly call: Call;
  readonly receipts: number;
  /** Called when the message has arrived that often. */
  readonly onReceived?: () => void;
}

/** More than the messages that are ever in flight at the same time. */
const SLOTS = 1 << 17;

interface PreparedFrame {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly token: number;
}

/** Sends messages and calls, and times them until they arrive. */
export class Messages {
  /** Latencies of recipients on the sender's node, and on other nodes. */
  readonly local = new Histogram();
  readonly remote = new Histogram();
  /** The number of messages and answers that have arrived. */
  received = 0;
  /** The number of messages that have not arrived everywhere. */
  inFlight = 0;
  readonly #dialect: Dialect;
  readonly #payload: string;
  readonly #frames = new Map<string, PreparedFrame>();
  readonly #missing = new Int32Array(SLOTS);
  readonly #sentAt = new Float64Array(SLOTS);
  readonly #node = new Int32Array(SLOTS);
  readonly #onReceived: (Message["onReceived"])[] = [];
  #next = 0;

  constructor(connections: Connections, dialect: Dialect, payloadBytes: number) {
    this.#dialect = dialect;
    this.#payload = EMPTY_TOKEN.padEnd(payloadBytes, "x");
    connections.onToken = (connection, slot) => this.#token(connection, slot);
  }

  /** Sends a message. */
  send({ from, call, receipts, onReceived }: Message): void {
    const slot = this.#next;
    this.#next = (slot + 1) % SLOTS;
    if (this.#missing[slot] !== 0) throw new Error("Cannot send: too many messages are in flight");
    const { frame, token } = this.#prepare(call);
    writeToken(frame, token, slot);
    this.#missing[slot] = receipts;
    this.#node[slot] = from.node;
    this.#onReceived[slot] = onReceived;
    this.inFlight++;
    this.#sentAt[slot] = performance.now();
    from.send(frame);
  }

  /** Sets all counts and latencies to zero. */
  reset(): void {
    this.received = 0;
    this.local.clear();
    this.remote.clear();
  }

  #prepare(call: Call): PreparedFrame {
    if (call.method === "enlist" || call.method === "join" || call.method === "leave") {
      return this.#write(call);
    }
    const key = `${call.method} ${"name" in call ? call.name : ""}`;
    let prepared = this.#frames.get(key);
    if (prepared === undefined) this.#frames.set(key, prepared = this.#write(call));
    return prepared;
  }

  #write(call: Call): PreparedFrame {
    const frame = this.#dialect.call(call, this.#payload);
    return { frame, token: tokenIndex(frame) };
  }

  #token(connection: Connection, slot: number): void {
    const missing = this.#missing[slot];
    // The message arrived once too often, or its token is not one of ours.
    if (missing === undefined || missing <= 0) throw new Error(`Cannot match message: ${slot}`);
    const latency = performance.now() - (this.#sentAt[slot] ?? 0);
    const histogram = connection.node === this.#node[slot] ? this.local : this.remote;
    histogram.add(latency);
    this.received++;
    this.#missing[slot] = missing - 1;
    if (missing > 1) return;
    this.inFlight--;
    this.#onReceived[slot]?.();
  }
}
