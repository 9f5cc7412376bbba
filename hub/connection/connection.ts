import { HANDSHAKE_SUCCESS, handshakeFailure } from "../protocol/handshake.ts";
import { HandshakeReader } from "../protocol/handshake_reader.ts";
import { type HubMessage, MessageType } from "../protocol/messages.ts";
import { type Frame, type HubProtocol, ProtocolError } from "../protocol/protocol.ts";
import { agree } from "./agreement.ts";
import { clientTimeout, type CloseCause, failed, goodbye, leftBehind, torn } from "./closing.ts";
import { relieved } from "../scheduling/congestion.ts";
import { Inbox, type InboxListener } from "./inbox.ts";
import { KeepAlive } from "./keep_alive.ts";
import { Outbox, type OutboxListener } from "./outbox.ts";
import type { ConnectionParts } from "./parts.ts";
import type { Pipe, PipeListener, StatefulListener } from "./pipe.ts";
import { StatefulReconnect } from "./stateful_reconnect.ts";

/** One client, from its first byte to its last. It listens to the pipe that it is made with. */
export class HubConnection implements StatefulListener, InboxListener, OutboxListener {
  /** The public id. */
  readonly id: string;
  readonly #firstPipe: Pipe;
  readonly #parts: ConnectionParts;
  readonly #outbox: Outbox;
  readonly #startedAt: number;
  /** Whether the client has negotiated that it may come back on another pipe. */
  readonly #mayReturn: boolean;
  /** The current one; it changes only by a stateful reconnect. */
  #pipe: Pipe;
  #stateful: StatefulReconnect | undefined;
  #handshake: HandshakeReader | undefined;
  #inbox: Inbox | undefined;
  #protocol: HubProtocol | undefined;
  #keepAlive: KeepAlive | undefined;
  /** Settles when the hub has admitted the client, or refused it. */
  #opening: Promise<void> | undefined;
  #admitted = false;
  #closed = false;
  /** When the client has gone; what it had sent has some time from then on. */
  #goneAt: number | undefined;
  #abort: AbortController | undefined;
  #finished: PromiseWithResolvers<void> | undefined;

  /** `mayReturn` is whether the client has negotiated that it may come back on another pipe. */
  constructor(id: string, pipe: Pipe, parts: ConnectionParts, mayReturn = false) {
    const { limits, clock } = parts;
    this.id = id;
    this.#pipe = this.#firstPipe = pipe;
    this.#parts = parts;
    this.#startedAt = clock.now();
    this.#mayReturn = mayReturn;
    this.#handshake = new HandshakeReader(limits.maximumReceiveMessageSize);
    this.#outbox = new Outbox(limits.maximumBufferedBytes, this);
    this.#outbox.attach(pipe);
  }

  /** The name of the hub protocol; empty before the handshake. */
  get protocol(): string {
    return this.#protocol?.name ?? "";
  }

  /** Whether the connection has ended, or is ending. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether what the client has sent is dispatched: also for a while after it has gone. */
  get isHeard(): boolean {
    return this.#inbox?.stopped === false;
  }

  /** Whether the client may come back on another pipe. */
  get isStateful(): boolean {
    return this.#stateful !== undefined && !this.#closed;
  }

  /** Aborted when the connection ends; made when somebody first asks. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#closed) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Resolves when the connection has ended and the hub has dealt with that. */
  get finished(): Promise<void> {
    return (this.#finished ??= Promise.withResolvers()).promise;
  }

  receive(chunk: Frame): void {
    this.#receive(this.#firstPipe, chunk);
  }

  pipeClosed(vanished = false): void {
    this.#pipeClosed(this.#firstPipe, vanished);
  }

  /**
   * The client has come back on `pipe`, which takes over at once, whatever is believed of the old one:
   * nothing that still comes from that counts. Only if {@link isStateful}.
   */
  reattach(pipe: Pipe): PipeListener {
    const stateful = this.#stateful;
    const protocol = this.#protocol;
    const old = this.#pipe;
    this.#pipe = pipe;
    if (stateful === undefined || protocol === undefined || this.#closed) pipe.close(1000);
    else {
      this.#inbox?.dropPartial();
      old.close(1000);
      old.terminate();
      pipe.format = protocol.format;
      stateful.returned();
      this.#keepAlive?.excuse(this.#parts.clock.now());
      this.#outbox.resume(pipe, protocol.write(stateful.sequence));
      if (this.#inbox?.full) pipe.pause();
    }
    return {
      receive: (chunk) => this.#receive(pipe, chunk),
      pipeClosed: (vanished = false) => this.#pipeClosed(pipe, vanished),
    };
  }

  /** Hands a ready-made frame of a call to the client. Without effect once the connection closes. */
  write(frame: Frame): void {
    this.#outbox.write(frame);
  }

  /** There was a message that its sender did not write in this client's protocol. */
  unreadable(): void {
    if (this.#closed) return;
    this.fail(
      new ProtocolError(
        "This message was received from another server that did not have the requested protocol available.",
      ),
    );
  }

  /**
   * Writes a message to the client.
   *
   * @throws {TypeError} if a value in it cannot be serialised.
   */
  send(message: HubMessage): void {
    if (this.#closed || this.#protocol === undefined) return;
    const counted = message.type <= MessageType.CancelInvocation;
    this.#outbox.write(this.#protocol.write(message), counted);
  }

  /** A promise while so much is unsent that what can wait should. */
  relieved(): Promise<void> | undefined {
    return this.#outbox.congested ? relieved(this.#outbox) : undefined;
  }

  /** Ends the connection because of `error`; the client may reconnect. */
  fail(error: Error): void {
    this.close(failed(error, { allowReconnect: true, ...this.#parts.limits }));
  }

  /** Ends the connection. Idempotent: the first cause counts, but a later one ends what a client left. */
  close(cause: CloseCause): void {
    if (this.#closed) return this.#inbox?.stop(cause.error);
    const { message, slow, gone } = cause;
    this.#closed = true;
    // The socket may stay open for as long as its peer likes: nothing of the client's is kept for it.
    this.#handshake = undefined;
    if (gone) this.#goneAt = this.#parts.clock.now();
    else this.#inbox?.stop();
    // What is queued would only delay the Close; the client reads its state again when it is back.
    if (slow) this.#outbox.clear();
    this.#outbox.finish(message && this.#protocol?.write(message));
    this.#pipe.close(1000);
    // Its peer does not read: what is queued in the transport may never leave.
    if (slow) this.#pipe.terminate();
    this.#parts.listener.closing(this, cause);
    this.#abort?.abort();
    this.#end(cause);
  }

  /** The heartbeat: everything that depends on time. */
  tick(now: number): void {
    const { handshakeTimeout, disconnectTimeout } = this.#parts.limits;
    // A client that has gone must not keep the connection for as long as its calls like.
    if (now - (this.#goneAt ?? now) > disconnectTimeout) this.#inbox?.stop(leftBehind());
    if (this.#closed) return;
    if (this.#protocol === undefined) {
      if (now - this.#startedAt >= handshakeTimeout) this.#refuse("Handshake was canceled.");
      return;
    }
    const given = this.#stateful?.tick(now);
    if (given?.expired) return this.close(given.cause);
    if (given?.ack !== undefined) this.send(given.ack);
    if (!this.#stateful?.away && !this.#pipe.inherentKeepAlive) this.#checkAlive(now);
  }

  message(message: HubMessage): Promise<void> | undefined {
    const { type } = message;
    this.#keepAlive?.heard(this.#parts.clock.now(), type === MessageType.Ping);
    try {
      if (this.#stateful?.takes(message) === false) return undefined;
    } catch (error) {
      this.fail(error as Error);
      return undefined;
    }
    if (type === MessageType.Ping) return undefined;
    if (type !== MessageType.Close) return this.#parts.listener.message(this, message);
    this.close(goodbye(message));
    return undefined;
  }

  backlog(waiting: boolean): void {
    if (waiting) this.#pipe.pause();
    else this.#pipe.resume();
  }

  #checkAlive(now: number): void {
    const { transportSendTimeout } = this.#parts.limits;
    if (this.#outbox.stuckFor(now) > transportSendTimeout) return this.#stalled();
    if (this.#keepAlive?.takePing(now)) this.send({ type: MessageType.Ping });
    if (this.#inbox?.blocked) this.#keepAlive?.excuse(now);
    else if (this.#keepAlive?.timedOut(now)) this.fail(clientTimeout());
  }

  /** As if it had vanished: a native socket says so only when its peer lets go of it. */
  #stalled(): void {
    this.#pipe.terminate();
    this.#pipeClosed(this.#pipe, true);
  }

  #receive(pipe: Pipe, chunk: Frame): void {
    if (this.#closed || pipe !== this.#pipe || this.#stateful?.away) return;
    if (this.#handshake === undefined) this.#inbox?.push(chunk);
    else this.#shakeHands(this.#handshake, chunk);
  }

  #pipeClosed(pipe: Pipe, vanished: boolean): void {
    // Of a pipe that was given up nothing counts, not even that its client says goodbye at last.
    if (this.#closed || pipe !== this.#pipe || this.#stateful?.away) return;
    if (!vanished || !this.#stateful) {
      return this.#inbox?.torn ? this.fail(torn()) : this.close({ gone: true });
    }
    this.#inbox?.dropPartial();
    this.#outbox.detach();
    this.#stateful.lost(this.#parts.clock.now());
  }

  async #end(cause: CloseCause): Promise<void> {
    await this.#opening;
    const error = await this.#inbox?.rest();
    // Until now it knew what its client had sent twice.
    this.#stateful = undefined;
    await this.#parts.listener.closed(this, error ? { ...cause, error } : cause, this.#admitted);
    (this.#finished ??= Promise.withResolvers()).resolve();
  }

  #shakeHands(reader: HandshakeReader, chunk: Frame): void {
    const { protocols, limits } = this.#parts;
    const { detailedErrors } = limits;
    const { textOnly } = this.#pipe;
    const agreed = agree(reader, chunk, protocols, { textOnly, detailedErrors });
    if (agreed === undefined) return;
    if (typeof agreed === "string") return this.#refuse(agreed);
    this.#protocol = agreed.protocol;
    // Version 1 knows no reconnect, whatever was negotiated.
    if (this.#mayReturn && agreed.version > 1) {
      const sent = this.#outbox.remember(limits.statefulReconnectBufferSize);
      this.#stateful = new StatefulReconnect(sent, limits);
    }
    this.#open(this.#protocol, agreed.rest);
  }

  #open(protocol: HubProtocol, rest: Frame): void {
    const { limits, clock } = this.#parts;
    this.#handshake = undefined;
    this.#keepAlive = new KeepAlive(limits, clock.now());
    this.#pipe.format = protocol.format;
    this.#outbox.write(HANDSHAKE_SUCCESS, false);
    this.#inbox = new Inbox(protocol, limits, this);
    if (rest.length > 0) this.#inbox.push(rest);
    this.#opening = this.#admit();
  }

  /** Asks the hub; messages are read once it has said yes. */
  async #admit(): Promise<void> {
    const { limits, listener } = this.#parts;
    try {
      await listener.opened(this);
      this.#admitted = true;
    } catch (error) {
      this.close(failed(error as Error, { allowReconnect: false, ...limits }));
    }
    this.#opening = undefined;
    if (this.#admitted) this.#inbox?.unblock();
  }

  /** Ends a connection that never shook hands. */
  #refuse(error: string): void {
    this.#outbox.write(handshakeFailure(error), false);
    this.close({ error: new ProtocolError(error) });
  }
}
