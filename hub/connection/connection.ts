import type { Clock } from "../clock.ts";
import { HANDSHAKE_SUCCESS, handshakeFailure, parseHandshake } from "../protocol/handshake.ts";
import { describe, withDetail } from "../error_texts.ts";
import { TextFrameReader } from "../protocol/framing.ts";
import { type CloseMessage, type HubMessage, MessageType } from "../protocol/messages.ts";
import { type Frame, type HubProtocol, ProtocolError } from "../protocol/protocol.ts";
import { type ProtocolChoice, ProtocolRefusal } from "../protocol/choice.ts";
import { relieved } from "./congestion.ts";
import { Inbox } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import type { Pipe, PipeListener } from "./pipe.ts";

/** Limits and times of a connection, in bytes and milliseconds. */
export interface ConnectionLimits {
  readonly handshakeTimeout: number;
  readonly keepAliveInterval: number;
  readonly clientTimeoutInterval: number;
  readonly maximumReceiveMessageSize: number | null;
  readonly maximumQueuedReceiveBytes: number;
  readonly maximumBufferedBytes: number;
  readonly detailedErrors: boolean;
}

/** Why a connection ends. */
export interface CloseCause {
  /** What the hub's `disconnected` hears; absent for an orderly end. */
  readonly error?: Error;
  /** The last message to the client; absent when it is gone or never shook hands. */
  readonly message?: CloseMessage;
  /** The client reads too slowly: it is taken out of every group before anything else is done. */
  readonly slow?: true;
}

/** The hub's side of a connection. */
export interface ConnectionListener {
  /** The handshake is done; reading starts when this resolves. A rejection ends the connection. */
  opened(connection: HubConnection): Promise<void>;
  /** A message to dispatch; returns a promise when reading has to wait. */
  message(connection: HubConnection, message: HubMessage): Promise<void> | undefined;
  /** The connection ends: nothing is delivered to it any more. Called at once. */
  closing(connection: HubConnection, cause: CloseCause): void;
  /** Called after `closing`, once `opened` has settled; `admitted` is whether it had resolved. */
  closed(connection: HubConnection, cause: CloseCause, admitted: boolean): Promise<void>;
}

type Phase = "handshake" | "open" | "closed";

/** One client, from its first byte to its last. */
export class HubConnection implements PipeListener {
  /** The public id. */
  readonly id: string;
  /** Aborted when the connection ends; made when somebody first asks. */
  #abort: AbortController | undefined;
  readonly #pipe: Pipe;
  readonly #outbox: Outbox;
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #protocols: ProtocolChoice;
  readonly #listener: ConnectionListener;
  readonly #finished = Promise.withResolvers<void>();
  #handshake: TextFrameReader | undefined;
  #inbox: Inbox | undefined;
  #protocol: HubProtocol | undefined;
  #phase: Phase = "handshake";
  #opening: Promise<boolean> = Promise.resolve(false);
  #startedAt: number;
  #lastPing = 0;
  /** When the last message came, once the client has sent its first ping. */
  #lastHeard: number | undefined;

  constructor(
    id: string,
    pipe: Pipe,
    parts: {
      readonly limits: ConnectionLimits;
      readonly clock: Clock;
      readonly protocols: ProtocolChoice;
      readonly listener: ConnectionListener;
    },
  ) {
    this.id = id;
    this.#pipe = pipe;
    this.#limits = parts.limits;
    this.#clock = parts.clock;
    this.#protocols = parts.protocols;
    this.#listener = parts.listener;
    this.#startedAt = parts.clock.now();
    this.#handshake = new TextFrameReader(parts.limits.maximumReceiveMessageSize);
    this.#outbox = new Outbox(parts.limits.maximumBufferedBytes, () => this.#overflow());
    this.#outbox.attach(pipe);
  }

  /** The name of the hub protocol; empty before the handshake. */
  get protocol(): string {
    return this.#protocol?.name ?? "";
  }

  /** Whether the connection has ended, or is ending. */
  get isClosed(): boolean {
    return this.#phase === "closed";
  }

  /** Aborted when the connection ends. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.isClosed) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Resolves when the connection has ended and the hub has dealt with that. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  receive(chunk: Frame): void {
    if (this.#phase === "closed") return;
    if (this.#handshake === undefined) this.#inbox?.push(chunk);
    else this.#shakeHands(this.#handshake, chunk);
  }

  pipeClosed(): void {
    this.close({});
  }

  /** Hands a ready-made frame to the client. Without effect once the connection closes. */
  write(frame: Frame): void {
    if (this.#phase !== "closed") this.#outbox.write(frame);
  }

  /** There was a message that its sender did not write in this client's protocol. */
  unreadable(): void {
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
    if (this.#phase === "closed" || this.#protocol === undefined) return;
    this.#outbox.write(this.#protocol.write(message));
  }

  /** A promise while so much is unsent that what can wait should. */
  relieved(): Promise<void> | undefined {
    return this.#outbox.congested ? relieved(this.#outbox) : undefined;
  }

  /** Reads nothing more; what is under way goes on. */
  stopReading(): void {
    this.#inbox?.stop();
  }

  /** Ends the connection because of `error`; the client may reconnect. */
  fail(error: Error): void {
    this.close({ error, message: this.#closeMessage(error, true) });
  }

  /** Ends the connection. Idempotent: the first cause counts. */
  close(cause: CloseCause): void {
    if (this.#phase === "closed") return;
    const { message } = cause;
    const last = message === undefined ? undefined : this.#protocol?.write(message);
    this.#phase = "closed";
    this.#handshake = undefined;
    this.#inbox?.stop();
    this.#outbox.finish(last);
    this.#pipe.close(1000);
    // Its peer does not read: what is queued in the transport may never leave.
    if (cause.slow) this.#pipe.terminate();
    this.#listener.closing(this, cause);
    this.#abort?.abort();
    this.#finish(cause);
  }

  /** The heartbeat: everything that depends on time. */
  tick(now: number): void {
    const { handshakeTimeout, keepAliveInterval, clientTimeoutInterval } = this.#limits;
    if (this.#phase === "handshake") {
      if (now - this.#startedAt >= handshakeTimeout) this.#refuse("Handshake was canceled.");
      return;
    }
    if (this.#phase !== "open") return;
    if (now - this.#lastPing >= keepAliveInterval) {
      this.#lastPing = now;
      this.send({ type: MessageType.Ping });
    }
    if (this.#inbox?.blocked) {
      // Nothing is read while the hub is busy with the client: it cannot be blamed for that time.
      if (this.#lastHeard !== undefined) this.#lastHeard = now;
    } else if (this.#lastHeard !== undefined && now - this.#lastHeard >= clientTimeoutInterval) {
      this.fail(new ClientTimeoutError());
    }
  }

  async #finish(cause: CloseCause): Promise<void> {
    const admitted = await this.#opening;
    await this.#listener.closed(this, cause, admitted);
    this.#finished.resolve();
  }

  #shakeHands(reader: TextFrameReader, chunk: Frame): void {
    let record: string | undefined;
    reader.push(chunk);
    try {
      record = reader.read();
    } catch {
      return this.#refuse("Handshake was canceled.");
    }
    if (record === undefined) return;
    try {
      this.#protocol = this.#protocols.choose(parseHandshake(record));
    } catch (error) {
      if (error instanceof ProtocolRefusal) return this.#refuse(error.message);
      const detail = this.#limits.detailedErrors ? ` ${describe(error as Error)}` : "";
      return this.#refuse(`An unexpected error occurred during connection handshake.${detail}`);
    }
    this.#open(this.#protocol, reader.rest());
  }

  #open(protocol: HubProtocol, rest: string): void {
    this.#handshake = undefined;
    this.#phase = "open";
    this.#lastPing = this.#clock.now();
    this.#pipe.format = protocol.format;
    this.#outbox.write(HANDSHAKE_SUCCESS);
    const inbox = this.#inbox = new Inbox(protocol, this.#limits, {
      message: (message) => this.#message(message),
      malformed: (error) => this.fail(error),
      flooded: () => {
        this.close({
          error: new ProtocolError("Too many bytes are waiting to be dispatched."),
          message: { type: MessageType.Close, allowReconnect: true },
        });
      },
      backlog: (waiting) => waiting ? this.#pipe.pause() : this.#pipe.resume(),
    });
    if (rest !== "") inbox.push(rest);
    this.#opening = this.#listener.opened(this).then(() => true, (error) => {
      this.close({ error, message: this.#closeMessage(error, false) });
      return false;
    });
    this.#opening.then((admitted) => {
      if (admitted && !this.isClosed) inbox.unblock();
    });
  }

  #message(message: HubMessage): Promise<void> | undefined {
    const armed = this.#lastHeard !== undefined || message.type === MessageType.Ping;
    if (armed) this.#lastHeard = this.#clock.now();
    if (message.type === MessageType.Ping) return undefined;
    if (message.type !== MessageType.Close) return this.#listener.message(this, message);
    const { error } = message;
    this.close({
      message: { type: MessageType.Close },
      ...(error ? { error: new Error(error) } : undefined),
    });
    return undefined;
  }

  /** Ends a connection that never shook hands. */
  #refuse(error: string): void {
    this.#outbox.write(handshakeFailure(error));
    this.close({ error: new ProtocolError(error) });
  }

  #overflow(): void {
    // What is queued would only delay the Close; the client reads its state again when it is back.
    this.#outbox.clear();
    this.close({
      error: new ProtocolError("The client reads too slowly: too many bytes are unsent."),
      message: { type: MessageType.Close, allowReconnect: true },
      slow: true,
    });
  }

  #closeMessage(error: Error, allowReconnect: boolean): CloseMessage {
    const { detailedErrors } = this.#limits;
    return {
      type: MessageType.Close,
      error: withDetail("Connection closed with an error.", error, detailedErrors),
      allowReconnect,
    };
  }
}

/** The client was silent for too long. */
class ClientTimeoutError extends Error {
  constructor() {
    super("Client hasn't sent a message/ping within the configured ClientTimeoutInterval.");
    this.name = "OperationCanceledException";
  }
}
