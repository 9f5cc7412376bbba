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
  parse: (record: Frame): HubMessage | undefined =>
    readMessagePack(typeof record === "string" ? textEncoder.encode(record) : record),
  write: (message: HubMessage): Frame => frame(layout(message)),
};

const textEncoder = new TextEncoder();
const encoder = new Encoder({ ignoreUndefined: true });

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

function frame(items: readonly unknown[]): Uint8Array {
  // The shared buffer is good until the next call; the copy into the frame is the only one.
  const body = encoder.encodeSharedRef(items);
  const prefix = lengthPrefix(body.length);
  const framed = new Uint8Array(prefix.length + body.length);
  framed.set(prefix);
  framed.set(body, prefix.length);
  return framed;
}

/** Little-endian base-128. */
function lengthPrefix(length: number): number[] {
  const prefix: number[] = [];
  let rest = length;
  do {
    prefix.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    rest >>>= 7;
  } while (rest > 0);
  return prefix;
}
