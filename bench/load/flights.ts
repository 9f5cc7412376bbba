import type { Connection } from "./connection.ts";
import type { Call, Dialect } from "./dialects/dialect.ts";
import type { Fleet } from "./fleet.ts";
import { Histogram } from "./histogram.ts";
import { EMPTY_TOKEN, tokenIndex, writeToken } from "./tokens.ts";

/** One thing to send, and how often it must come back. */
export interface Flight {
  readonly from: Connection;
  readonly call: Call;
  readonly receipts: number;
  /** Called when it has come back that often. */
  readonly landed?: () => void;
}

/** A number larger than what is ever under way at a time. */
const SLOTS = 1 << 17;

interface PreparedFrame {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly token: number;
}

/** Messages and calls that are under way. */
export class Flights {
  /** Latencies at members on the sender's node, and on others. */
  readonly local = new Histogram();
  readonly remote = new Histogram();
  /** How many messages and answers have come. */
  received = 0;
  /** How many flights are under way. */
  underWay = 0;
  readonly #dialect: Dialect;
  readonly #payload: string;
  readonly #frames = new Map<string, PreparedFrame>();
  readonly #missing = new Int32Array(SLOTS);
  readonly #sentAt = new Float64Array(SLOTS);
  readonly #node = new Int32Array(SLOTS);
  readonly #landed: (Flight["landed"])[] = [];
  #next = 0;

  constructor(fleet: Fleet, dialect: Dialect, payloadBytes: number) {
    this.#dialect = dialect;
    this.#payload = EMPTY_TOKEN.padEnd(payloadBytes, "x");
    fleet.onToken = (connection, slot) => this.#token(connection, slot);
  }

  /** Sends. */
  launch({ from, call, receipts, landed }: Flight): void {
    const slot = this.#next;
    this.#next = (slot + 1) % SLOTS;
    if (this.#missing[slot] !== 0) throw new Error("Cannot send: too much is under way");
    const { frame, token } = this.#prepare(call);
    writeToken(frame, token, slot);
    this.#missing[slot] = receipts;
    this.#node[slot] = from.node;
    this.#landed[slot] = landed;
    this.underWay++;
    this.#sentAt[slot] = performance.now();
    from.send(frame);
  }

  /** Begins to count anew. */
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
    // A message that came once too often, or looks like one.
    if (missing === undefined || missing <= 0) throw new Error(`Cannot match message: ${slot}`);
    const latency = performance.now() - (this.#sentAt[slot] ?? 0);
    const histogram = connection.node === this.#node[slot] ? this.local : this.remote;
    histogram.add(latency);
    this.received++;
    this.#missing[slot] = missing - 1;
    if (missing > 1) return;
    this.underWay--;
    this.#landed[slot]?.();
  }
}
