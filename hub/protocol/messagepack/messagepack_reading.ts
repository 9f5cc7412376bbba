/**
 * Reads MessagePack hub messages. `specs/signalr-wire.md §8.3`.
 *
 * Deliberate difference: an unknown message type is skipped (upstream stalls the connection).
 *
 * @module
 */
import { MAXIMUM_DEPTH } from "../json/json_text.ts";
import {
  type CompletionMessage,
  type HubMessage,
  type MessageHeaders,
  MessageType,
} from "../messages.ts";
import { PackError, PackReader } from "../pack/reader.ts";
import { UnreadableValue } from "../pack/values.ts";
import { ProtocolError } from "../protocol_error.ts";

/** The kinds of result in a completion. */
const ResultKind = { Error: 1, Void: 2, Value: 3 } as const;

/**
 * The message in a record without its length prefix, or `undefined` for an unknown type. Further items
 * and bytes behind the array are ignored.
 *
 * @throws {ProtocolError} if the record breaks the rules.
 */
export function readMessagePack(record: Uint8Array): HubMessage | undefined {
  const reader = new PackReader(record);
  const items = attempt(
    () => reader.array(),
    "Unexpected record: it is not an array.",
    SERIALIZATION,
  );
  const type = integer(reader, "messageType", "Int32");
  switch (type) {
    case MessageType.Invocation:
    case MessageType.StreamInvocation:
      return readCall(reader, items, type);
    case MessageType.StreamItem:
      return {
        type,
        ...headers(reader),
        invocationId: id(reader, "StreamItem"),
        item: value(reader),
      };
    case MessageType.Completion:
      return { ...readCompletion(reader), record };
    case MessageType.CancelInvocation:
      return { type, ...headers(reader), invocationId: id(reader, "CancelInvocation") };
    case MessageType.Ping:
      return { type };
    case MessageType.Close:
      return readClose(reader, items);
    case MessageType.Ack:
    case MessageType.Sequence:
      return { type, sequenceId: integer(reader, "sequenceId", "Int64") };
    default:
      return undefined;
  }
}

const SERIALIZATION = "MessagePackSerializationException";

function readCall(reader: PackReader, items: number, type: 1 | 4): HubMessage {
  const named = headers(reader);
  const name = type === MessageType.Invocation ? "Invocation" : "StreamInvocation";
  const invocationId = type === MessageType.Invocation
    ? text(reader, "invocationId") || undefined
    : id(reader, name);
  const target = text(reader, "target");
  if (!target) throw new ProtocolError(`Null or empty target for ${name} message.`);
  const bound = readArguments(reader, items);
  const streamIds = items > 5 && bound.bindingError === undefined
    ? readStreamIds(reader)
    : undefined;
  const call = { ...named, target, ...bound, ...streamIds && { streamIds } };
  if (type === MessageType.Invocation) {
    return { type, ...call, ...invocationId !== undefined && { invocationId } };
  }
  return { type, ...call, invocationId: invocationId ?? "" };
}

/** Arguments that are missing, malformed or cut off fail the call, not the connection. */
function readArguments(
  reader: PackReader,
  items: number,
): { arguments: readonly unknown[]; bindingError?: Error } {
  let failed = "Reading array length for 'arguments' failed.";
  try {
    if (items >= 5 && reader.isArray()) {
      failed = BINDING;
      // The array of arguments is one level more than an argument may have.
      return { arguments: reader.any(MAXIMUM_DEPTH + 1) as readonly unknown[] };
    }
  } catch (error) {
    if (!(error instanceof PackError || error instanceof RangeError)) throw error;
  }
  return { arguments: [], bindingError: new ProtocolError(failed) };
}

const BINDING =
  "Error binding arguments. Make sure that the types of the provided values match the " +
  "types of the hub method being invoked.";

function readStreamIds(reader: PackReader): readonly string[] | undefined {
  if (reader.isNil()) return undefined;
  const count = attempt(() => reader.array(), "Reading array length for 'streamIds' failed.");
  const ids: string[] = [];
  for (let left = count; left > 0; left--) {
    const id = attempt(
      () => reader.optionalString(),
      "A stream id is not a string.",
      SERIALIZATION,
    );
    if (!id) throw new ProtocolError("Null or empty value in streamIds received.");
    ids.push(id);
  }
  return ids;
}

function readCompletion(reader: PackReader): CompletionMessage {
  const type = MessageType.Completion;
  const named = headers(reader);
  const invocationId = id(reader, "Completion");
  switch (integer(reader, "resultKind", "Int32")) {
    case ResultKind.Error:
      return { type, ...named, invocationId, error: text(reader, "error") ?? "" };
    case ResultKind.Void:
      return { type, ...named, invocationId };
    case ResultKind.Value:
      return { type, ...named, invocationId, result: value(reader) };
    default:
      throw new ProtocolError("Invalid invocation result kind.");
  }
}

function readClose(reader: PackReader, items: number): HubMessage {
  const error = text(reader, "error");
  const allowReconnect = items > 2 &&
    attempt(() => reader.boolean(), "Reading 'allowReconnect' as Boolean failed.");
  return {
    type: MessageType.Close,
    ...error !== undefined && { error },
    ...allowReconnect && { allowReconnect },
  };
}

function headers(reader: PackReader): { headers?: MessageHeaders } {
  const count = attempt(() => reader.map(), "Reading map length for 'headers' failed.");
  if (count === 0) return {};
  const named: Record<string, string> = Object.create(null);
  for (let index = 0; index < count; index++) {
    const key = text(reader, `headers[${index}].Key`);
    if (!key) throw new ProtocolError("Null or empty key in header.");
    const value = text(reader, `headers[${index}].Value`);
    if (!value) throw new ProtocolError("Null or empty value in header.");
    named[key] = value;
  }
  return { headers: named };
}

function id(reader: PackReader, message: string): string {
  const id = text(reader, "invocationId");
  if (id) return id;
  throw new ProtocolError(`Null or empty invocation ID for ${message} message.`);
}

function text(reader: PackReader, field: string): string | undefined {
  return attempt(() => reader.optionalString(), `Reading '${field}' as String failed.`);
}

function integer(reader: PackReader, field: string, type: "Int32" | "Int64"): number {
  const failed = `Reading '${field}' as ${type} failed.`;
  const value = attempt(() => reader.int64(), failed);
  if (type === "Int64" || (value | 0) === value) return value;
  throw new ProtocolError(failed);
}

/** A value that is whole but cannot be read fails the call that it belongs to, not the connection. */
function value(reader: PackReader): unknown {
  try {
    return reader.any(MAXIMUM_DEPTH);
  } catch (error) {
    if (error instanceof RangeError) return new UnreadableValue(error);
    if (error instanceof PackError) throw new ProtocolError("A value is not whole.", SERIALIZATION);
    throw error;
  }
}

function attempt<T>(read: () => T, failed: string, name?: typeof SERIALIZATION): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PackError) throw new ProtocolError(failed, name);
    throw error;
  }
}
