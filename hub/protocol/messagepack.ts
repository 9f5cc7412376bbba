/**
 * The MessagePack hub protocol. Layout: `specs/signalr-wire.md §8.1`, framing §6, reading §8.3.
 *
 * @module
 */
import { Encoder } from "@msgpack/msgpack";
import { BinaryFrameReader } from "./binary_framing.ts";
import type { FrameReader } from "./framing.ts";
import { readMessagePack } from "./messagepack_reading.ts";
import { type HubMessage, MessageType } from "./messages.ts";
import type { Frame, HubProtocol } from "./protocol.ts";
import { toPackable } from "./values.ts";

/** The `messagepack` protocol. */
export const messagepackProtocol: HubProtocol = {
  name: "messagepack",
  format: "binary",
  reader: (maximumBytes: number | null): FrameReader => new BinaryFrameReader(maximumBytes),
  parse: (record: Frame): HubMessage | undefined => readMessagePack(toBytes(record)),
  // The encoder's own buffer is good until the next call; the copy into the frame is the only one.
  write: (message: HubMessage): Frame => framed(messagepackRecord(message)),
  frame: (record: Frame): Frame => framed(toBytes(record)),
};

const textEncoder = new TextEncoder();
const encoder = new Encoder({ ignoreUndefined: true });

function toBytes(record: Frame): Uint8Array {
  return typeof record === "string" ? textEncoder.encode(record) : record;
}

/** The items of a message, as the upstream server writes them. */
function layout(message: HubMessage): readonly unknown[] {
  const { type } = message;
  switch (type) {
    case MessageType.Ping:
      return [type];
    case MessageType.Close:
      return [type, message.error ?? null, message.allowReconnect ?? false];
    case MessageType.Ack:
    case MessageType.Sequence:
      return [type, message.sequenceId];
    case MessageType.CancelInvocation:
      return [type, message.headers ?? {}, message.invocationId];
    case MessageType.StreamItem:
      return [type, message.headers ?? {}, message.invocationId, toPackable(message.item)];
    case MessageType.Completion:
      return [type, message.headers ?? {}, message.invocationId, ...completionEnd(message)];
    default:
      return [
        type,
        message.headers ?? {},
        message.invocationId ?? null,
        message.target,
        message.arguments.map(toPackable),
        message.streamIds ?? [],
      ];
  }
}

/** The kind of result, and what belongs to it: 1 an error, 2 nothing, 3 a value. */
function completionEnd(
  message: { readonly error?: string; readonly result?: unknown },
): readonly unknown[] {
  if (message.error !== undefined) return [1, message.error];
  return Object.hasOwn(message, "result") ? [3, toPackable(message.result)] : [2];
}

/**
 * A message without its length before it: a view that is good until the next message is written.
 *
 * @throws {TypeError} if a value cannot be serialised.
 */
export function messagepackRecord(message: HubMessage): Uint8Array {
  return encoder.encodeSharedRef(layout(message));
}

/** `record` behind its length. */
function framed(record: Uint8Array): Uint8Array {
  const prefix = lengthPrefix(record.length);
  const frame = new Uint8Array(prefix.length + record.length);
  frame.set(prefix);
  frame.set(record, prefix.length);
  return frame;
}

/** The record in a frame of {@link messagepackProtocol}: a view. */
export function unframed(frame: Uint8Array): Uint8Array {
  let at = 0;
  while (((frame[at++] ?? 0) & 0x80) !== 0);
  return frame.subarray(at);
}

/** What stands before a record of that many bytes: little-endian base-128. */
export function lengthPrefix(length: number): number[] {
  const prefix: number[] = [];
  let rest = length;
  do {
    prefix.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    rest >>>= 7;
  } while (rest > 0);
  return prefix;
}
