import { utf8Length } from "../protocol/framing.ts";
import type { Frame } from "../protocol/protocol.ts";
import { Batch } from "./batch.ts";
import { type CloseCause, tooSlow } from "./closing.ts";
import type { Congestible } from "../scheduling/congestion.ts";
import type { Pipe } from "./pipe.ts";
import { ResendBuffer } from "./resend_buffer.ts";
import { atEndOfTurn, currentTurn, mayLeaveAtOnce, type TurnListener } from "../scheduling/turn.ts";

/** The most that is joined into one write, in bytes; a larger frame travels alone. */
const MAXIMUM_BATCH_BYTES = 64 * 1024;

/** How many turns with a single frame it takes until a busy outbox is taken for an idle one. */
const CALM_TURNS = 8;

/** What an {@link Outbox} belongs to. */
export interface OutboxListener {
  /** Ends the connection: more is unsent than is allowed. Called inside the write that passes the limit. */
  close(cause: CloseCause): void;
}

/**
 * What waits to be sent to one connection.
 *
 * - **Adaptive coalescing**: the first frame of a turn leaves at once, as long as the turn sends little
 *   ({@link mayLeaveAtOnce}); the others leave as one write at its end. After such a turn the first frame
 *   waits too, and a turn longer if it is alone, until some turns in a row had a single frame. The system
 *   call is what sending costs.
 * - **Bounded**: when more than the limit is unsent (queued here or in the pipe), the listener is told
 *   and the frame is dropped; the connection is then closed, because a gap in its messages would be silent.
 * - **Order** is that of the calls.
 * - **Resend**: with {@link remember}, what was sent is kept until the client has acknowledged it, and
 *   sent again through the next pipe. What is kept counts towards the limit.
 */
export class Outbox implements Congestible, TurnListener {
  readonly #limit: number;
  readonly #listener: OutboxListener;
  #pipe: Pipe | undefined;
  #resend: ResendBuffer | undefined;
  #patienceBytes = 0;
  #queue: Batch | undefined;
  /** Never less than what is really unsent: the pipe is asked only when this passes the limit. */
  #unsentAtMost = 0;
  /** Since when looks have found that the client takes nothing of what waits. */
  #stuckSince: number | undefined;
  /** The last turn in which a frame left at once. */
  #turn = 0;
  /** More than 0 if there were turns with several frames of late: they are likely to come together again. */
  #busy = 0;
  /** The frames of the turn for whose end it waits, with one that has left at once. */
  #frames = 0;
  /** Whether a single frame has waited a turn longer already. */
  #late = false;
  /** Whether the end of the turn is waited for. */
  #waiting = false;
  #closed = false;

  /** `maximumBufferedBytes` is the limit. */
  constructor(maximumBufferedBytes: number, listener: OutboxListener) {
    this.#limit = maximumBufferedBytes;
    this.#listener = listener;
  }

  /** Sends through `pipe` from now on. */
  attach(pipe: Pipe): void {
    this.#pipe = pipe;
    this.#unsentAtMost = pipe.bufferedBytes;
    this.#stuckSince = undefined;
  }

  /**
   * Keeps what is sent from now on until it is acknowledged; while more than `patienceBytes` are kept,
   * what can wait should.
   */
  remember(patienceBytes: number): ResendBuffer {
    this.#patienceBytes = patienceBytes;
    return this.#resend ??= new ResendBuffer();
  }

  /** The pipe is lost. Only with {@link remember}: all that matters is kept there. */
  detach(): void {
    this.#pipe = undefined;
    this.clear();
  }

  /**
   * Sends `sequence` and all that is not acknowledged through `pipe`, then what follows. At once, unlike
   * a stream: nothing else may reach the client before it, it is kept here whether it is sent or waits,
   * and it is within the limit, because what passes that ends the connection. Streams wait meanwhile.
   */
  resume(pipe: Pipe, sequence: Frame): void {
    this.clear();
    this.attach(pipe);
    for (const frame of [sequence, ...this.#resend?.frames ?? []]) {
      const bytes = frameBytes(frame);
      this.#unsentAtMost += bytes;
      this.#push(frame, bytes);
    }
    this.#flush();
  }

  /**
   * Adds a frame. Without effect once closed. `counted` is whether a client that comes back needs it.
   */
  write(frame: Frame, counted = true): void {
    if (this.#closed) return;
    const bytes = frameBytes(frame);
    if (counted && this.#resend !== undefined) {
      this.#resend.add(frame, bytes);
      if (this.#resend.bytes > this.#limit) return this.#listener.close(tooSlow());
    }
    if (this.#pipe === undefined) return;
    if (this.#unsentAtMost + bytes > this.#limit && this.#look() + bytes > this.#limit) {
      return this.#listener.close(tooSlow());
    }
    this.#unsentAtMost += bytes;
    // Nothing overtakes what waits, which in the first moments of a turn is that of the turn before.
    const first = this.#queue === undefined && this.#turn !== currentTurn();
    if (first && this.#busy === 0 && mayLeaveAtOnce()) {
      this.#turn = currentTurn();
      return this.#pipe.write(frame);
    }
    this.#push(frame, bytes);
    this.#frames++;
    if (this.#waiting) return;
    this.#waiting = true;
    if (this.#turn === currentTurn()) this.#frames++;
    atEndOfTurn(this);
  }

  /** Whether so much is unsent, or kept, that what can wait should: a quarter of the limit. */
  get congested(): boolean {
    if (this.#closed) return false;
    if (this.#resend !== undefined && this.#resend.bytes > this.#patienceBytes) return true;
    if (this.#unsentAtMost <= this.#limit / 4) return false;
    return this.#look() > this.#limit / 4;
  }

  /** For how long the client has taken nothing of what waits, in milliseconds, as far as looks tell. */
  stuckFor(now: number): number {
    // Who has nothing to take, costs no look.
    if (this.#unsentAtMost === 0 || this.#look() === (this.#queue?.bytes ?? 0)) return 0;
    this.#stuckSince ??= now;
    return now - this.#stuckSince;
  }

  /** Sends what is queued, then `last`, and takes nothing more. */
  finish(last?: Frame): void {
    if (this.#closed) return;
    if (last !== undefined) this.#push(last, frameBytes(last));
    this.#flush();
    this.#closed = true;
    this.#resend = undefined;
  }

  /** Drops what is queued. */
  clear(): void {
    this.#queue = undefined;
  }

  turnEnded(): void {
    const alone = this.#frames <= 1;
    if (alone && this.#busy > 0 && !this.#late) {
      this.#late = true;
      return atEndOfTurn(this);
    }
    if (!alone) this.#busy = CALM_TURNS;
    else if (this.#busy > 0) this.#busy--;
    this.#frames = 0;
    this.#waiting = this.#late = false;
    this.#flush();
  }

  /** What is unsent. If that is less than was written since the last look, the client has taken something. */
  #look(): number {
    const unsent = (this.#queue?.bytes ?? 0) + (this.#pipe?.bufferedBytes ?? 0);
    if (unsent < this.#unsentAtMost) this.#stuckSince = undefined;
    return this.#unsentAtMost = unsent;
  }

  #push(frame: Frame, bytes: number): void {
    const queue = this.#queue;
    if (queue !== undefined && queue.bytes + bytes > MAXIMUM_BATCH_BYTES) this.#flush();
    this.#queue = this.#queue?.with(frame, bytes) ?? Batch.of(frame, bytes);
  }

  #flush(): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    this.#queue = undefined;
    this.#pipe?.write(queue.joined);
  }
}

let measured = "";
let measuredBytes = 0;

/** The bytes of a frame. The same text goes to many connections in a row, so the last is remembered. */
function frameBytes(frame: Frame): number {
  if (typeof frame !== "string") return frame.length;
  if (frame !== measured) {
    measured = frame;
    measuredBytes = utf8Length(frame);
  }
  return measuredBytes;
}
