/**
 * The messages of the SignalR hub protocol, in any encoding. `specs/signalr-wire.md §8`.
 *
 * @module
 */

/** Message type numbers. */
export const MessageType = {
  Invocation: 1,
  StreamItem: 2,
  Completion: 3,
  StreamInvocation: 4,
  CancelInvocation: 5,
  Ping: 6,
  Close: 7,
  Ack: 8,
  Sequence: 9,
} as const;

/** Headers of a message: kept, never interpreted. */
export type MessageHeaders = Readonly<Record<string, string>>;

/** A call of a hub method by a client, or the reverse. A call without an id gets no answer. */
export interface InvocationMessage {
  readonly type: typeof MessageType.Invocation;
  readonly headers?: MessageHeaders;
  readonly invocationId?: string;
  readonly target: string;
  readonly arguments: readonly unknown[];
  /** The arguments could not be read; only the call fails, not its connection. */
  readonly bindingError?: Error;
  readonly streamIds?: readonly string[];
}

/** A call whose answer is a stream. */
export interface StreamInvocationMessage extends Omit<InvocationMessage, "type"> {
  readonly type: typeof MessageType.StreamInvocation;
  readonly invocationId: string;
}

/** One item of a stream. */
export interface StreamItemMessage {
  readonly type: typeof MessageType.StreamItem;
  readonly headers?: MessageHeaders;
  readonly invocationId: string;
  readonly item: unknown;
}

/** The end of a call or stream: an error, a result, or neither. */
export interface CompletionMessage {
  readonly type: typeof MessageType.Completion;
  readonly headers?: MessageHeaders;
  readonly invocationId: string;
  readonly error?: string;
  /** Present, also as `null`, when there is a result; absent when there is none. */
  readonly result?: unknown;
  /** The record of the message; other nodes get the record unchanged. */
  readonly record?: string | Uint8Array;
}

/** Asks to cancel a running stream or call. */
export interface CancelInvocationMessage {
  readonly type: typeof MessageType.CancelInvocation;
  readonly headers?: MessageHeaders;
  readonly invocationId: string;
}

/** Says that the sender is alive. */
export interface PingMessage {
  readonly type: typeof MessageType.Ping;
}

/** The last message of a connection. */
export interface CloseMessage {
  readonly type: typeof MessageType.Close;
  readonly error?: string;
  readonly allowReconnect?: boolean;
}

/** Acknowledges messages, or gives the number of the next message (stateful reconnect). */
export interface SequenceMessage {
  readonly type: typeof MessageType.Ack | typeof MessageType.Sequence;
  readonly sequenceId: number;
}

/** Any message. */
export type HubMessage =
  | InvocationMessage
  | StreamInvocationMessage
  | StreamItemMessage
  | CompletionMessage
  | CancelInvocationMessage
  | PingMessage
  | CloseMessage
  | SequenceMessage;
