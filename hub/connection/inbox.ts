import type { FrameReader } from "../protocol/framing.ts";
import type { HubMessage } from "../protocol/messages.ts";
import type { Frame, HubProtocol } from "../protocol/protocol.ts";
import { type CloseCause, flooded, torn } from "./closing.ts";
import { atEndOfTurn, type TurnListener } from "../scheduling/turn.ts";

/** What an {@link Inbox} does with what it reads. */
export interface InboxListener {
  /** Handles a message; returns a promise when nothing more may be read until it settles. */
  message(message: HubMessage): Promise<void> | undefined;
  /** The client broke the rules; nothing more is read. */
  fail(error: Error): void;
  /** Ends the connection: more is waiting to be read than is allowed; nothing more is read. */
  close(cause: CloseCause): void;
  /** Much is waiting: stop the transport if that is possible, and let it go on later. */
  backlog(waiting: boolean): void;
}

/** Where reading is asked to stop, in bytes that wait; transports that cannot stop go on. */
const BACKLOG_BYTES = 64 * 1024;

/**
 * The most that is read in one turn, in bytes; the rest waits for the next, so that nobody else has to
 * wait for a client that sends 64 MiB in one piece.
 */
const TURN_BYTES = 64 * 1024;
/** What a message counts there besides its bytes: the smallest have two, and are no less work. */
const MESSAGE_BYTES = 32;

/**
 * Reads one connection's messages, one at a time: the next is parsed when the one before has been
 * dispatched. What arrives meanwhile waits unparsed, up to a limit.
 */
export class Inbox implements TurnListener {
  readonly #protocol: HubProtocol;
  readonly #maximumMessageBytes: number | null;
  #reader: FrameReader;
  readonly #maximumQueuedBytes: number;
  readonly #listener: InboxListener;
  #blocked = true;
  #stopped = false;
  #backlog = false;
  /** Why nothing more is read. */
  #error: Error | undefined;
  /** Made when nothing more can come. */
  #rest: PromiseWithResolvers<Error | undefined> | undefined;

  /** Reads nothing until {@link unblock}. */
  constructor(
    protocol: HubProtocol,
    limits: {
      readonly maximumReceiveMessageSize: number | null;
      readonly maximumQueuedReceiveBytes: number;
    },
    listener: InboxListener,
  ) {
    this.#protocol = protocol;
    this.#maximumMessageBytes = limits.maximumReceiveMessageSize;
    this.#reader = protocol.reader(this.#maximumMessageBytes);
    this.#maximumQueuedBytes = limits.maximumQueuedReceiveBytes;
    this.#listener = listener;
  }

  /** Whether a dispatch holds up reading. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Whether nothing more is read, not even what waits. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether the transport was asked to stop. */
  get full(): boolean {
    return this.#backlog;
  }

  /** Whether everything was read but the beginning of a message. */
  get torn(): boolean {
    return !this.#blocked && this.#reader.bufferedBytes > 0;
  }

  /** Adds what arrived. */
  push(chunk: Frame): void {
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
   * Nothing more comes. Resolves once everything that waits was dispatched: with an error if that ended
   * in the middle of a message, or with what {@link stop} was given if that came first.
   */
  rest(): Promise<Error | undefined> {
    const rest = this.#rest = Promise.withResolvers<Error | undefined>();
    if (this.#stopped) rest.resolve(this.#error);
    else if (!this.#blocked) this.#emptied();
    return rest.promise;
  }

  /** Reads nothing more, and forgets what waits: the socket may stay open for as long as its peer likes. */
  stop(error?: Error): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#error = error;
    this.#reader = this.#protocol.reader(this.#maximumMessageBytes);
    this.#rest?.resolve(error);
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
        this.stop(error as Error);
        return this.#listener.fail(error as Error);
      }
      // A type of message that is not known yet is skipped.
      if (message === undefined) continue;
      const dispatched = this.#listener.message(message);
      if (dispatched === undefined) continue;
      this.#blocked = true;
      dispatched.finally(() => this.unblock());
      return this.#checkBacklog();
    }
  }

  /** Everything was read but the beginning of a message. */
  #emptied(): void {
    if (this.#rest !== undefined) this.stop(this.torn ? torn() : undefined);
  }

  #waitForTurn(): void {
    this.#blocked = true;
    atEndOfTurn(this);
    this.#checkBacklog();
  }

  #checkBacklog(): void {
    const waiting = this.#reader.bufferedBytes;
    if (waiting > this.#maximumQueuedBytes) {
      this.stop();
      this.#listener.close(flooded());
    } else if (waiting > BACKLOG_BYTES && !this.#backlog) {
      this.#backlog = true;
      this.#listener.backlog(true);
    }
  }
}
