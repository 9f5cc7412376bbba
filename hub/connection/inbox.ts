import type { TextOrBytes } from "../protocol/frame.ts";
import type { FrameReader } from "../protocol/framing.ts";
import type { HubMessage } from "../protocol/messages.ts";
import type { HubProtocol } from "../protocol/protocol.ts";
import type { TurnListener } from "../scheduling/scheduler.ts";
import { type CloseCause, failed, flooded, truncatedMessage } from "./closing.ts";
import type { ConnectionParts } from "./parts.ts";

/** Handles the messages that an {@link Inbox} reads. */
export interface InboxListener {
  /** Handles a message; returns a promise if reading must wait until that settles. */
  message(message: HubMessage): Promise<void> | undefined;
  /** Ends the connection: the client broke a rule or a limit, and the inbox has stopped reading. */
  close(cause: CloseCause): void;
  /** Many bytes are waiting: stop the transport if that is possible, and let it go on later. */
  backlog(waiting: boolean): void;
}

/** If more bytes than this wait, the transport is asked to stop reading; some transports cannot. */
const BACKLOG_BYTES = 64 * 1024;

/**
 * The most that is read in one turn, in bytes; the next turn reads on, so that no other client has to
 * wait for a client that sends 64 MiB in one piece.
 */
const TURN_BYTES = 64 * 1024;
/** Added to the bytes of each message of a turn: even a message of two bytes takes time. */
const MESSAGE_BYTES = 32;

/**
 * Reads one connection's messages, one at a time: the next is parsed when the one before has been
 * dispatched. Chunks that arrive earlier wait unparsed, up to a limit.
 */
export class Inbox implements TurnListener {
  readonly #protocol: HubProtocol;
  readonly #parts: ConnectionParts;
  readonly #listener: InboxListener;
  #reader: FrameReader;
  #blocked = true;
  #stopped = false;
  #backlog = false;
  /** Why the inbox has stopped. */
  #cause: CloseCause | undefined;
  /** Made when no more chunks can come. */
  #drained: PromiseWithResolvers<CloseCause | undefined> | undefined;

  /** Reads nothing until {@link unblock}. */
  constructor(protocol: HubProtocol, parts: ConnectionParts, listener: InboxListener) {
    this.#protocol = protocol;
    this.#parts = parts;
    this.#listener = listener;
    this.#reader = protocol.reader(parts.limits.maximumReceiveMessageSize);
  }

  /** Whether a dispatch holds up reading. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Whether the inbox reads no more messages, not even those that wait. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether the transport was asked to stop. */
  get full(): boolean {
    return this.#backlog;
  }

  /** Whether everything was read except the beginning of a message. */
  get truncated(): boolean {
    return !this.#blocked && this.#reader.bufferedBytes > 0;
  }

  /** Adds a chunk that arrived. */
  push(chunk: TextOrBytes): void {
    if (this.#stopped) return;
    this.#reader.push(chunk);
    if (this.#blocked) this.#checkBacklog();
    else this.#read();
  }

  /** The pipe was lost in the middle of a record; its sender will begin again. */
  dropPartial(): void {
    this.#reader.dropPartial();
  }

  /** Reads on. */
  unblock(): void {
    this.#blocked = false;
    this.#read();
    if (this.#blocked || !this.#backlog) return;
    this.#backlog = false;
    this.#listener.backlog(false);
  }

  /**
   * No more chunks come. Resolves once all waiting messages were dispatched: with a cause if the last
   * message is truncated, or with the cause of {@link stop} if `stop` was called first.
   */
  drained(): Promise<CloseCause | undefined> {
    const drained = this.#drained = Promise.withResolvers<CloseCause | undefined>();
    if (this.#stopped) drained.resolve(this.#cause);
    else if (!this.#blocked) this.#emptied();
    return drained.promise;
  }

  /** Reads no more, and forgets the waiting chunks: the peer may keep the socket open for a long time. */
  stop(cause?: CloseCause): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cause = cause;
    this.#reader = this.#protocol.reader(this.#parts.limits.maximumReceiveMessageSize);
    this.#drained?.resolve(cause);
  }

  turnEnded(): void {
    this.unblock();
  }

  #read(): void {
    let left = TURN_BYTES;
    while (!this.#stopped) {
      if (left <= 0 && this.#reader.bufferedBytes > 0) return this.#waitForTurn();
      let message: HubMessage | undefined;
      try {
        const record = this.#reader.read();
        if (record === undefined) return this.#emptied();
        left -= record.length + MESSAGE_BYTES;
        message = this.#protocol.parse(record);
      } catch (error) {
        return this.#refuse(failed(error as Error, this.#parts.limits.detailedErrors));
      }
      // Messages of unknown types are skipped.
      if (message === undefined) continue;
      const dispatched = this.#listener.message(message);
      if (dispatched === undefined) continue;
      this.#blocked = true;
      dispatched.finally(() => this.unblock());
      return this.#checkBacklog();
    }
  }

  /** Everything was read except the beginning of a message. */
  #emptied(): void {
    if (this.#drained === undefined) return;
    this.stop(this.truncated ? truncatedMessage(this.#parts.limits.detailedErrors) : undefined);
  }

  #refuse(cause: CloseCause): void {
    this.stop(cause);
    this.#listener.close(cause);
  }

  #waitForTurn(): void {
    this.#blocked = true;
    this.#parts.scheduler.atTurnEnd(this);
    this.#checkBacklog();
  }

  #checkBacklog(): void {
    const waiting = this.#reader.bufferedBytes;
    if (waiting > this.#parts.limits.maximumQueuedReceiveBytes) this.#refuse(flooded());
    else if (waiting > BACKLOG_BYTES && !this.#backlog) {
      this.#backlog = true;
      this.#listener.backlog(true);
    }
  }
}
