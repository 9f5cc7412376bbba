import { Frame, type TextOrBytes } from "../protocol/frame.ts";
import { HANDSHAKE_SUCCESS, handshakeFailure } from "../protocol/handshake.ts";
import { type HubMessage, MessageType } from "../protocol/messages.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { Budget, type ConnectionBudget } from "../scheduling/budget.ts";
import * as closing from "./closing.ts";
import { Conversation, type ConversationOwner, type ConversationState } from "./conversation.ts";
import { type Agreement, Greeting } from "./greeting.ts";
import type { HeldMessage } from "./held_message.ts";
import { Outbox } from "./outbox.ts";
import type { ListeningParts } from "./parts.ts";
import type { Pipe } from "./pipe.ts";

/** One client, from its first byte to its last: first a {@link Greeting}, then a {@link Conversation}. */
export class HubConnection implements ConversationOwner {
  /** The public id. */
  readonly id: string;
  readonly #parts: ListeningParts<HubConnection>;
  readonly #outbox: Outbox;
  #state: Greeting | Conversation | "ended";
  #closed = false;
  #abort: AbortController | undefined;
  #budget: ConnectionBudget | undefined;
  #finished: PromiseWithResolvers<void> | undefined;

  /** Greets the client; or waits, without a pipe, for a client that a hub has admitted at another node. */
  constructor(
    id: string,
    pipe: Pipe | undefined,
    parts: ListeningParts<HubConnection>,
    from: Greeting | ConversationState,
  ) {
    this.id = id;
    this.#parts = parts;
    this.#outbox = new Outbox(pipe, parts);
    if (from instanceof Greeting) this.#state = from;
    else {
      const conversation = this.#state = this.#converse(from);
      conversation.admitted = true;
      conversation.pipeLost();
    }
  }

  /** The amounts that the client has of what is limited; made on the first use. */
  get budget(): ConnectionBudget {
    return this.#budget ??= new Budget(this.#parts.budget);
  }

  /** Present between the handshake and the end. */
  get conversation(): Conversation | undefined {
    return this.#state instanceof Conversation ? this.#state : undefined;
  }

  /** The name of the hub protocol; empty before the handshake. */
  get protocol(): string {
    return this.conversation?.protocol.name ?? "";
  }

  /** Whether the connection has ended, or is ending. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether messages of the client are dispatched: also for a while after the client has gone. */
  get isHeard(): boolean {
    return this.conversation?.inbox.stopped === false;
  }

  /** Whether the client may come back on another pipe. */
  get isStateful(): boolean {
    return this.conversation?.reconnect !== undefined && !this.#closed;
  }

  /** Aborted when the connection ends; made on the first use. */
  get signal(): AbortSignal {
    if (this.#closed) return AbortSignal.abort();
    return (this.#abort ??= new AbortController()).signal;
  }

  /** Resolves when the connection has ended and the hub has dealt with that. */
  get finished(): Promise<void> {
    return (this.#finished ??= Promise.withResolvers()).promise;
  }

  /** A chunk has come through `pipe`. */
  receive(pipe: Pipe, chunk: TextOrBytes): void {
    const state = this.#state;
    if (this.#closed || pipe !== this.#outbox.pipe || state === "ended") return;
    if (state instanceof Conversation) return state.inbox.push(chunk);
    const agreed = state.receive(chunk, pipe.textOnly);
    if (typeof agreed === "string") this.#refuse(agreed);
    else if (agreed !== undefined) this.#open(agreed);
  }

  /** `pipe` was closed; `vanished` is whether the client left without closing it. */
  pipeClosed(pipe: Pipe, vanished: boolean): void {
    // A pipe that was given up is ignored, even if its client closes it later.
    if (this.#closed || pipe !== this.#outbox.pipe) return;
    const conversation = this.conversation;
    if (vanished && conversation?.reconnect !== undefined) {
      this.#outbox.pipeLost();
      conversation.pipeLost();
    } else if (conversation?.inbox.truncated) {
      this.close(closing.truncatedMessage(this.#parts.limits.detailedErrors));
    } else this.close({ gone: true });
  }

  /** The client has come back on `pipe`, which takes over: chunks of the old one are ignored. Only if stateful. */
  resumeOn(pipe: Pipe): void {
    const conversation = this.conversation;
    if (conversation?.reconnect === undefined || this.#closed) return pipe.close(1000);
    conversation.returned();
    this.#outbox.resume(pipe, conversation.frame(conversation.reconnect.sequence));
  }

  /**
   * Sends a frame to the client, or ends the connection if too many bytes are unsent. `counted` is whether a
   * client that comes back needs the frame. Returns whether the sender should wait with the next frame.
   */
  write(frame: Frame, counted = true): boolean {
    if (this.#outbox.write(frame, counted)) return this.#outbox.jammed;
    this.close(closing.tooSlow());
    return false;
  }

  /** A message could not be written: its sender did not provide it in this client's protocol. */
  unreadable(): void {
    if (!this.#closed) this.close(closing.unreadable(this.#parts.limits.detailedErrors));
  }

  /** Writes a message to the client; throws a `TypeError` if a value in the message cannot be serialised. */
  send(message: HubMessage): void {
    const conversation = this.conversation;
    if (this.#closed || conversation === undefined) return;
    this.write(conversation.frame(message), message.type <= MessageType.CancelInvocation);
  }

  /** A promise while so many bytes are unsent that senders should wait; not for ever. */
  untilWritable(): Promise<void> | undefined {
    return this.#outbox.untilWritable();
  }

  /** Ends the connection because of `error`; the client may reconnect. */
  fail(error: Error): void {
    this.close(closing.failed(error, this.#parts.limits.detailedErrors));
  }

  /** Whether it has a pipe that cannot be dropped without a word to the client. */
  get clings(): boolean {
    return this.#outbox.pipe !== undefined && this.#outbox.pipe.drop === undefined;
  }

  /** Drops the pipe. */
  dropPipe(): void {
    const { pipe } = this.#outbox;
    pipe?.drop?.();
    if (pipe !== undefined) this.pipeClosed(pipe, true);
  }

  /** Ends the connection here without a word to the client or the hub: it goes on elsewhere. */
  leave(): void {
    this.#closed = true;
    this.#outbox.pipe?.terminate();
    this.#outbox.pipeLost();
    this.#state = "ended";
    this.#outbox.end(undefined);
    this.#abort?.abort();
    (this.#finished ??= Promise.withResolvers()).resolve();
  }

  /** Ends the connection. Only the first cause counts; a later one ends the dispatch for a client that has gone. */
  close(cause: closing.CloseCause): void {
    const conversation = this.conversation;
    if (this.#closed) return conversation?.inbox.stop(cause);
    const { message, slow, gone } = cause;
    this.#closed = true;
    if (conversation === undefined) this.#state = "ended";
    else if (gone) conversation.goneAt = this.#parts.clock.now();
    else conversation.inbox.stop();
    this.#outbox.end(message && conversation?.frame(message), slow);
    this.#parts.listener.closing(this, cause);
    this.#abort?.abort();
    this.#end(conversation, cause);
  }

  /** The heartbeat: everything that depends on time. */
  tick(now: number): void {
    const state = this.#state;
    const { pipe } = this.#outbox;
    if (state instanceof Greeting) {
      if (state.timedOut(now)) this.#refuse("Handshake was canceled.");
    } else if (state === "ended") return;
    else if (this.#closed) state.checkDrain(now);
    else if (pipe !== undefined && this.#outbox.isStuck(now)) {
      // As if the client had vanished: a native socket reports that only when its peer closes it.
      pipe.terminate();
      this.pipeClosed(pipe, true);
    } else state.tick(now, pipe, this.#outbox);
  }

  takes(message: HubMessage): boolean {
    return this.conversation?.takes(message) === true;
  }

  message(message: HubMessage, record: TextOrBytes): Promise<void> | undefined {
    if (message.type === MessageType.Close) this.close(closing.clientClosed(message));
    else return this.#parts.listener.message(this, message, record);
  }

  untilRoom(): Promise<void> | undefined {
    return this.#outbox.jammed ? this.untilWritable() : undefined;
  }

  /** Holds the record of a message that cannot be handled yet; ends the connection if too much waits. */
  hold(record: TextOrBytes): HeldMessage | undefined {
    return this.conversation?.inbox.hold(record);
  }

  backlog(waiting: boolean): void {
    this.#outbox.pauseReading(waiting);
  }

  async #end(conversation: Conversation | undefined, cause: closing.CloseCause): Promise<void> {
    await conversation?.opening;
    const { error, level } = await conversation?.inbox.drained() ?? {};
    this.#state = "ended";
    const whole = error ? { ...cause, error, ...level && { level } } : cause;
    await this.#parts.listener.closed(this, whole, conversation?.admitted === true);
    (this.#finished ??= Promise.withResolvers()).resolve();
  }

  #open(agreement: Agreement): void {
    const conversation = this.#state = this.#converse(agreement);
    this.write(new Frame(HANDSHAKE_SUCCESS[agreement.protocol.format]), false);
    // Before the rest, which may end the connection: the hub hears of both, or of none.
    conversation.admit(() => this.#parts.listener.opened(this));
    if (agreement.rest.length > 0) conversation.inbox.push(agreement.rest);
  }

  #converse(state: ConversationState): Conversation {
    const conversation = new Conversation(state, this.#parts, this);
    this.#outbox.keepIn(conversation.reconnect?.sent);
    return conversation;
  }

  #refuse(error: string): void {
    this.write(new Frame(handshakeFailure(error)), false);
    this.close({ error: new ProtocolError(error) });
  }
}
