import type { Frame } from "../protocol/frame.ts";
import type { Scheduler, TurnListener } from "../scheduling/scheduler.ts";
import type { ConnectionParts } from "./parts.ts";
import type { Pipe } from "./pipe.ts";
import type { ResendBuffer } from "./resend_buffer.ts";

/** The most that is joined into one write, in bytes; a larger frame travels alone. */
const MAXIMUM_JOINED_BYTES = 64 * 1024;

/** The steps, in bytes, in which a client may take a large frame: one in each `transportSendTimeout`. */
const STEP_BYTES = 64 * 1024;

/** How many turns with a single frame it takes until a busy outbox counts as idle. */
const CALM_TURNS = 8;

/**
 * The frames that wait to be sent to one connection.
 *
 * - **Adaptive coalescing**: the first frame of a turn leaves at once, as long as the turn sends little
 *   ({@link Scheduler.takeImmediateWrite}); later frames leave as one write at its end. After such a turn
 *   the first frame waits too, and a turn longer if it is alone, until some turns in a row had a single
 *   frame. Most of the cost of sending is the system call.
 * - **Bounded**: when more than the limit is unsent (queued here or in the pipe) before a frame, the frame
 *   is dropped and {@link write} says so; the connection must then be closed, because a gap in its messages
 *   would be silent. The frame itself may have any size: a client that has taken everything takes it.
 * - **Ordered**: frames leave in the order of the calls.
 * - **Resend**: with {@link keepIn}, frames are kept until the client has acknowledged them, and sent
 *   again through the next pipe. All kept frames but the largest count towards the limit.
 */
export class Outbox implements TurnListener {
  readonly #limits: ConnectionParts["limits"];
  readonly #scheduler: Scheduler;
  #pipe: Pipe | undefined;
  #resend: ResendBuffer | undefined;
  #queue: Frame | undefined;
  /** Never less than what is really unsent: the pipe is asked only when this passes the limit. */
  #unsentAtMost: number;
  /** Never less than the largest unsent frame. */
  #largest = 0;
  /** The time since which the client has taken none of the unsent bytes, as far as looks tell. */
  #stuckSince: number | undefined;
  /** The last turn in which a frame left at once. */
  #turn = 0;
  /** More than 0 if recent turns had several frames: the next frames are likely to come together too. */
  #busy = 0;
  /** The number of frames in the current turn, including one that has left at once. */
  #frames = 0;
  /** Whether a single frame has waited a turn longer already. */
  #late = false;
  /** Whether the outbox has asked for the end of the turn. */
  #waiting = false;
  #closed = false;
  /** Whether the pipe was asked to stop reading: acknowledgements are not heard. */
  #deaf = false;

  constructor(pipe: Pipe | undefined, { limits, scheduler }: ConnectionParts) {
    this.#limits = limits;
    this.#scheduler = scheduler;
    this.#pipe = pipe;
    this.#unsentAtMost = pipe?.bufferedBytes ?? 0;
  }

  /** Keeps all frames in `buffer` until they are acknowledged; the outbox is congested while it is full. */
  keepIn(buffer: ResendBuffer | undefined): void {
    this.#resend = buffer;
  }

  /** The current pipe; `undefined` while it is lost. */
  get pipe(): Pipe | undefined {
    return this.#pipe;
  }

  /** Asks this pipe and later ones to stop reading, or to read again. */
  pauseReading(paused: boolean): void {
    this.#deaf = paused;
    if (paused) this.#pipe?.pause();
    else this.#pipe?.resume();
  }

  /** The pipe is lost. Only with {@link keepIn}: every frame that matters is kept there. */
  pipeLost(): void {
    this.#pipe = this.#queue = undefined;
  }

  /**
   * Replaces the pipe by `pipe`; sends `sequence` and all unacknowledged frames, then the frames that
   * follow. The kept frames are sent at once: no other frame may reach the client before them, and passing
   * the limit ends the connection. Streams wait until the client has taken the kept frames.
   */
  resume(pipe: Pipe, sequence: Frame): void {
    const old = this.#pipe;
    this.#queue = undefined;
    this.#pipe = pipe;
    if (old !== pipe) {
      old?.close(1000);
      old?.terminate();
    }
    if (this.#deaf) pipe.pause();
    this.#unsentAtMost = pipe.bufferedBytes;
    this.#largest = 0;
    this.#stuckSince = undefined;
    for (const frame of [sequence, ...this.#resend?.frames ?? []]) {
      this.#unsentAtMost += frame.byteLength;
      this.#largest = Math.max(this.#largest, frame.byteLength);
      this.#push(frame);
    }
    this.#flush();
  }

  /**
   * Adds a frame; returns whether the bytes before it are within the limit. Without effect once closed.
   * `counted` is whether a client that comes back needs the frame.
   */
  write(frame: Frame, counted: boolean): boolean {
    if (this.#closed) return true;
    const limit = this.#limits.maximumBufferedBytes;
    const { byteLength } = frame;
    const resend = counted ? this.#resend : undefined;
    if (resend !== undefined) {
      if (resend.bytes > limit && resend.bytesBesideLargest > limit) return false;
      resend.add(frame);
    }
    if (this.#pipe === undefined) return true;
    // A frame that is kept may follow a large one, as it may before the client comes back.
    if (this.full && (!resend || this.#unsentAtMost - this.#largest > limit)) return false;
    this.#unsentAtMost += byteLength;
    if (byteLength > this.#largest) this.#largest = byteLength;
    const { turn } = this.#scheduler;
    // No frame overtakes the queue; when a turn begins, the queue may hold frames of the previous turn.
    const first = this.#queue === undefined && this.#turn !== turn;
    if (first && this.#busy === 0 && this.#scheduler.takeImmediateWrite()) {
      this.#turn = turn;
      this.#pipe.write(frame);
      return true;
    }
    this.#push(frame);
    this.#frames++;
    if (this.#waiting) return true;
    this.#waiting = true;
    if (this.#turn === turn) this.#frames++;
    this.#scheduler.atTurnEnd(this);
    return true;
  }

  /**
   * Whether streams should wait: more than a quarter of the limit is unsent, or kept, or the client is
   * closing the pipe.
   */
  get congested(): boolean {
    if (this.#closed) return false;
    if (this.#pipe?.closing) return true;
    const { maximumBufferedBytes, statefulReconnectBufferSize } = this.#limits;
    // Nobody waits for acknowledgements that cannot be heard: the wait might be why they cannot.
    const kept = this.#deaf ? 0 : this.#resend?.bytes ?? 0;
    if (kept > Math.min(statefulReconnectBufferSize, maximumBufferedBytes / 2)) return true;
    if (this.#unsentAtMost <= maximumBufferedBytes / 4) return false;
    return this.#look() > maximumBufferedBytes / 4;
  }

  /**
   * Whether senders should wait, too: a quarter of the limit is unsent, or half of it is kept. Costs little
   * where that is not so. A pipe that the client closes drops what is written to it: a loop of sends waits
   * after each quarter of the limit, and the event loop can report the end of the pipe.
   */
  get jammed(): boolean {
    if (this.#closed) return false;
    const { maximumBufferedBytes } = this.#limits;
    const kept = this.#deaf ? 0 : this.#resend?.bytes ?? 0;
    if (kept > maximumBufferedBytes / 2) return true;
    if (this.#unsentAtMost <= maximumBufferedBytes / 4) return false;
    return this.#look() > maximumBufferedBytes / 4 || this.#pipe?.closing === true;
  }

  /** A promise while the outbox is {@link congested}, for `transportSendTimeout` at most. */
  untilWritable(): Promise<void> | undefined {
    if (!this.congested) return undefined;
    return this.#scheduler.untilWritable(this, this.#limits.transportSendTimeout);
  }

  /** Whether more than the limit is unsent, so that {@link write} takes no frame. */
  get full(): boolean {
    const limit = this.#limits.maximumBufferedBytes;
    return this.#unsentAtMost > limit && this.#look() > limit;
  }

  /** Whether bytes were unsent at the last look. */
  get sending(): boolean {
    return this.#unsentAtMost > 0;
  }

  /** Whether the client has taken no unsent bytes for too long, as far as looks tell. */
  isStuck(now: number): boolean {
    // Nothing is unsent: do not ask the socket. Long polling has its own timeout.
    if (this.#unsentAtMost === 0 || this.#pipe?.inherentKeepAlive) return false;
    if (this.#look() === (this.#queue?.byteLength ?? 0)) return false;
    this.#stuckSince ??= now;
    // A pipe that reports only whole frames does not tell how much of a large frame was taken.
    const steps = this.#pipe?.reportsWholeFrames ? Math.ceil(this.#largest / STEP_BYTES) : 1;
    return now - this.#stuckSince > this.#limits.transportSendTimeout * Math.max(steps, 1);
  }

  /**
   * Sends the queue, then `last`, and closes the pipe. If the client is `slow`, the queue is dropped, as it
   * would only delay `last`, and the pipe is terminated, as bytes in the transport may never leave.
   */
  end(last: Frame | undefined, slow = false): void {
    if (slow) this.#queue = undefined;
    if (last !== undefined) this.#push(last);
    this.#flush();
    this.#closed = true;
    this.#resend = undefined;
    this.#scheduler.endWait(this);
    this.#pipe?.close(1000);
    if (slow) this.#pipe?.terminate();
  }

  turnEnded(): void {
    const alone = this.#frames <= 1;
    if (alone && this.#busy > 0 && !this.#late) {
      this.#late = true;
      return this.#scheduler.atTurnEnd(this);
    }
    if (!alone) this.#busy = CALM_TURNS;
    else if (this.#busy > 0) this.#busy--;
    this.#frames = 0;
    this.#waiting = this.#late = false;
    this.#flush();
  }

  /** The unsent bytes. If they are less than was written since the last look, the client has taken some. */
  #look(): number {
    const unsent = (this.#queue?.byteLength ?? 0) + (this.#pipe?.bufferedBytes ?? 0);
    if (unsent < this.#unsentAtMost) this.#stuckSince = undefined;
    this.#largest = Math.min(this.#largest, unsent);
    return this.#unsentAtMost = unsent;
  }

  #push(frame: Frame): void {
    const queued = this.#queue?.byteLength ?? 0;
    if (queued > 0 && queued + frame.byteLength > MAXIMUM_JOINED_BYTES) this.#flush();
    this.#queue = this.#queue?.with(frame) ?? frame;
  }

  #flush(): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    this.#queue = undefined;
    this.#pipe?.write(queue);
  }
}
