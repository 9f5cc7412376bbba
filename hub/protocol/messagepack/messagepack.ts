/**
 * The MessagePack hub protocol. Layout: `specs/signalr-wire.md §8.1`, framing §6, reading §8.3.
 *
 * @module
 */
import { BinaryFrameReader } from "./binary_framing.ts";
import type { FrameReader } from "../framing.ts";
import { readMessagePack } from "./messagepack_reading.ts";
import { type CompletionMessage, type HubMessage, MessageType } from "../messages.ts";
import { PackWriter } from "../pack/writer.ts";
import type { HubProtocol } from "../protocol.ts";
import type { TextOrBytes } from "../frame.ts";
import { toPackable } from "../values.ts";

/** The `messagepack` protocol. */
export const messagepackProtocol: HubProtocol = {
  name: "messagepack",
  format: "binary",
  reader: (maximumBytes: number | null): FrameReader => new BinaryFrameReader(maximumBytes),
  parse: (record: TextOrBytes): HubMessage | undefined => readMessagePack(toBytes(record)),
  write,
  frame: (record: TextOrBytes): TextOrBytes => framed(toBytes(record)),
};

const textEncoder = new TextEncoder();

function toBytes(record: TextOrBytes): Uint8Array {
  return typeof record === "string" ? textEncoder.encode(record) : record;
}

/** The frame is a copy, because the next writer overwrites the buffer. */
function write(message: HubMessage): TextOrBytes {
  const writer = new PackWriter();
  try {
    writeMessage(writer, message);
    writer.prefix(0);
  } finally {
    writer.release();
  }
  return writer.finish().slice();
}

/**
 * Writes a message as the upstream server does, without its length prefix.
 *
 * @throws {TypeError} if a value cannot be serialised.
 */
export function writeMessage(writer: PackWriter, message: HubMessage): void {
  const { type } = message;
  switch (type) {
    case MessageType.Ping:
      return items(writer, 1, type);
    case MessageType.Close:
      return items(writer, 3, type, message.error, message.allowReconnect ?? false);
    case MessageType.Ack:
    case MessageType.Sequence:
      return items(writer, 2, type, message.sequenceId);
    case MessageType.CancelInvocation:
      return items(writer, 3, type, message.headers ?? {}, message.invocationId);
    case MessageType.StreamItem:
      items(writer, 4, type, message.headers ?? {}, message.invocationId);
      return writer.value(toPackable(message.item, "item"));
    case MessageType.Completion:
      return writeCompletion(writer, message);
    default:
      items(writer, 6, type, message.headers ?? {}, message.invocationId, message.target);
      writer.value(toPackable(message.arguments, "arguments"));
      return writer.value(message.streamIds ?? []);
  }
}

/** Writes the kind of result, and the result: 1 an error, 2 nothing, 3 a value. */
function writeCompletion(writer: PackWriter, message: CompletionMessage): void {
  const { type, headers = {}, invocationId, error } = message;
  if (error !== undefined) return items(writer, 5, type, headers, invocationId, 1, error);
  const hasResult = Object.hasOwn(message, "result");
  items(writer, hasResult ? 5 : 4, type, headers, invocationId, hasResult ? 3 : 2);
  if (hasResult) writer.value(toPackable(message.result, "result"));
}

/** Writes the head of an array of `length` items, and the first items. */
function items(writer: PackWriter, length: number, ...items: readonly unknown[]): void {
  writer.array(length);
  for (const item of items) writer.value(item);
}

/** `record` behind its length prefix. */
function framed(record: Uint8Array): Uint8Array {
  const writer = new PackWriter();
  writer.raw(record);
  writer.prefix(0);
  return writer.finish().slice();
}
