import type { TextOrBytes } from "../protocol/frame.ts";
import type { FrameReader } from "../protocol/framing.ts";
import type { HubMessage } from "../protocol/messages.ts";
import type { HubProtocol } from "../protocol/protocol.ts";
import { CallQueue, isCall } from "./call_queue.ts";
import { broken, type CloseCause, flooded, mishandled, truncatedMessage } from "./closing.ts";
import { HeldMessage, type MessageHolder } from "./held_message.ts";
import type { ConnectionParts, InboxListener } from "./parts.ts";

/** If more unread bytes than this wait, the transport is asked to stop reading; some transports cannot. */
const BACKLOG_BYTES = 64 * 1024;
/** The bytes that are read before others have their turn. */
const PART_BYTES = 4 * 1024;
/** Added to the bytes of each message and unread chunk: even an empty one takes time. */
const OVERHEAD_BYTES = 32;

/**
 * Reads one connection's messages as they arrive. Only calls wait for the calls before them
 * ({@link CallQueue}): acknowledgements and pings of a client must be heard while one of its calls takes
 * long. The bytes that wait are limited: unread chunks, waiting calls, and waiting items of uploads. Only
 * the limit for one message counts the beginning of a message: its end may be what a running call needs.
 *
 * The inboxes of all connections share the time of a turn ({@link Scheduler.takeRead}). An inbox for which
 * the turn has no time waits for its part of a later turn, and stops its transport when much is unread.
 */
export class Inbox implements MessageHolder {
  readonly #protocol: HubProtocol;
  readonly #parts: ConnectionParts;
  readonly #listener: InboxListener;
  #reader: FrameReader;
  /** What has to happen before anything is read. */
  #awaits: "admission" | "turn" | undefined = "admission";
  /** How many chunks have come meanwhile. */
  #chunks = 0;
  #stopped = false;
  #backlog = false;
  /** Present while calls wait. */
  #calls: CallQueue | undefined;
  /** The client broke a rule: the connection ends when the waiting calls were dispatched. */
  #failure: CloseCause | undefined;
  #cause: CloseCause | undefined;
  #drained: PromiseWithResolvers<CloseCause | undefined> | undefined;

  /** Reads nothing until {@link unblock}. */
  constructor(protocol: HubProtocol, parts: ConnectionParts, listener: InboxListener) {
    this.#protocol = protocol;
    this.#parts = parts;
    this.#listener = listener;
    this.#reader = protocol.reader(parts.limits.maximumReceiveMessageSize);
  }

  /** Whether nothing is read, or the transport was asked to stop. */
  get deaf(): boolean {
    return this.#awaits !== undefined || this.#backlog;
  }

  /** Whether the inbox reads no more messages, not even those that wait. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether everything was read and dispatched except the beginning of a message. */
  get truncated(): boolean {
    return !this.#awaits && !this.#calls && this.#reader.bufferedBytes > 0;
  }

  /** Whether no message that was read waits. */
  get idle(): boolean {
    return this.#calls === undefined;
  }

  /** Adds a chunk that arrived. */
  push(chunk: TextOrBytes): void {
    if (this.#stopped || this.#failure !== undefined) return;
    this.#reader.push(chunk);
    const reads = this.#awaits === undefined;
    if (reads && this.#parts.scheduler.takeRead()) return this.#read();
    if (reads) this.#waitForTurn();
    this.#chunks++;
    this.#checkBacklog();
  }

  /** The pipe was lost in the middle of a record; its sender will begin again. */
  dropPartial(): void {
    this.#reader.dropPartial();
  }

  /** Reads on. Many connections are admitted at a time: what they have sent shares the turn. */
  unblock(): void {
    const first = this.#awaits === "admission" && this.#reader.bufferedBytes > 0;
    if (first && !this.#parts.scheduler.takeRead()) return this.#waitForTurn();
    this.#awaits = undefined;
    this.#chunks = 0;
    this.#read();
    this.#checkRoom();
  }

  /** Holds the record of a message that cannot be handled yet; ends the connection if too much waits. */
  hold(record: TextOrBytes): HeldMessage | undefined {
    const held = new HeldMessage(record, this.#protocol, this);
    if (this.#listener.budget.take("bytes", held.bytes)) this.#checkBacklog();
    else this.#refuse(flooded());
    return this.#stopped ? undefined : held;
  }

  giveBack(bytes: number): void {
    this.#listener.budget.give("bytes", bytes);
    this.#checkRoom();
  }

  /**
   * No more chunks come. Resolves once all waiting messages were dispatched: with a cause if the last
   * message is truncated, or with the cause of {@link stop} if `stop` was called first.
   */
  drained(): Promise<CloseCause | undefined> {
    const drained = this.#drained = Promise.withResolvers<CloseCause | undefined>();
    if (this.#stopped) drained.resolve(this.#cause);
    else if (this.#awaits === undefined) this.#emptied();
    return drained.promise;
  }

  /** Reads no more, and forgets what waits: the peer may keep the socket open for a long time. */
  stop(cause?: CloseCause): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cause = cause;
    this.#calls = undefined;
    this.#forget();
    this.#drained?.resolve(cause);
  }

  #read(): void {
    for (let left = PART_BYTES; !this.#stopped;) {
      // The first message of a part was counted when its chunk came, or has waited.
      const more = left < PART_BYTES && this.#reader.bufferedBytes > 0;
      if (more && (left <= 0 || !this.#parts.scheduler.takeRead())) return this.#waitForTurn();
      let record: TextOrBytes | undefined;
      let message: HubMessage | undefined;
      try {
        record = this.#reader.read();
        if (record === undefined) return this.#emptied();
        left -= record.length + OVERHEAD_BYTES;
        message = this.#protocol.parse(record);
        // Messages of unknown types are skipped.
        if (message === undefined || !this.#listener.takes(message)) continue;
      } catch (error) {
        return this.#fail(broken(error as Error, this.#parts.limits.detailedErrors));
      }
      if (this.#calls?.holds(message) !== true) this.#dispatch(message, record);
      else {
        const held = this.hold(record);
        if (held !== undefined) this.#calls?.add(message, held);
      }
    }
  }

  #dispatch(message: HubMessage, record: TextOrBytes): void {
    const call = isCall(message);
    let dispatched: Promise<void> | undefined;
    try {
      dispatched = this.#listener.message(message, record);
    } catch (error) {
      return this.#refuse(mishandled(error, this.#parts.limits.detailedErrors));
    }
    // A call that runs has begun, even if the client is to take its answers before the next call.
    const wait = dispatched ?? (call ? this.#listener.untilRoom() : undefined);
    if (wait === undefined || this.#stopped) return;
    const calls = this.#calls ??= new CallQueue();
    const begins = call && dispatched !== undefined;
    if (begins) calls.begin(message);
    calls.pause();
    wait.then(() => {
      if (begins) calls.begun();
      calls.resume();
      this.#dispatchWaiting(calls);
    }, (error) => this.#refuse(mishandled(error, this.#parts.limits.detailedErrors)));
  }

  /** Dispatches what may be dispatched, as much as the turn allows. */
  #dispatchWaiting(calls: CallQueue): void {
    while (this.#calls === calls) {
      const held = calls.next();
      if (held === undefined) break;
      const { message, record } = held.take();
      if (message !== undefined) this.#dispatch(message, record);
      const turn = this.#parts.scheduler.spend();
      if (turn === undefined) continue;
      calls.pause();
      return void turn.then(() => {
        calls.resume();
        this.#dispatchWaiting(calls);
      });
    }
    if (this.#calls !== calls || !calls.idle) return;
    this.#calls = undefined;
    if (this.#failure !== undefined) this.#refuse(this.#failure);
    else if (this.#awaits === undefined) this.#emptied();
  }

  /** Nothing is unread except perhaps the beginning of a message. */
  #emptied(): void {
    if (this.#calls !== undefined || this.#drained === undefined) return;
    this.stop(this.truncated ? truncatedMessage(this.#parts.limits.detailedErrors) : undefined);
  }

  /** The connection ends because of a message; the calls before that message are dispatched first. */
  #fail(cause: CloseCause): void {
    if (this.#calls === undefined) return this.#refuse(cause);
    this.#failure = cause;
    this.#forget();
  }

  #refuse(cause: CloseCause): void {
    this.stop(cause);
    this.#listener.close(cause);
  }

  #waitForTurn(): void {
    this.#awaits = "turn";
    this.#parts.scheduler.postpone(() => this.unblock());
    this.#checkBacklog();
  }

  #forget(): void {
    this.#reader = this.#protocol.reader(this.#parts.limits.maximumReceiveMessageSize);
  }

  /** Called while something waits. */
  #checkBacklog(): void {
    const { maximumQueuedReceiveBytes: queued, maximumReceiveMessageSize: size } =
      this.#parts.limits;
    // A transport that cannot pause brings bursts faster than turns can read: more may wait for a turn.
    const most = this.#awaits === "turn" ? 8 * queued + (size ?? Infinity) : queued;
    // Otherwise the reader holds the beginning of a message, or is being emptied.
    const unread = this.#awaits ? this.#reader.bufferedBytes + this.#chunks * OVERHEAD_BYTES : 0;
    const waiting = unread + this.#listener.budget.used("bytes");
    if (waiting > most) return this.#refuse(flooded());
    if (this.#backlog || (unread <= BACKLOG_BYTES && waiting <= queued / 2)) return;
    this.#backlog = true;
    this.#parts.scheduler.flooded();
    this.#listener.backlog(true);
  }

  #checkRoom(): void {
    const { limits: { maximumQueuedReceiveBytes: queued } } = this.#parts;
    if (!this.#backlog || this.#awaits || this.#listener.budget.used("bytes") > queued / 4) return;
    this.#backlog = false;
    this.#listener.backlog(false);
  }
}
