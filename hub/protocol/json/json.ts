/**
 * The JSON hub protocol. Reading rules: `specs/signalr-wire.md §8.2`, layout §8.1.
 *
 * Deliberate differences: written text escapes only the characters that JSON requires (upstream also
 * escapes characters beyond U+FFFF); an unknown message type is skipped (upstream stalls the connection);
 * text behind the object is an error (upstream ignores it).
 *
 * @module
 */
import { type FrameReader, RECORD_SEPARATOR, TextFrameReader } from "../framing.ts";
import { notInt32 } from "../handshake.ts";
import { type JsonObject, parseJsonObject, toNumber } from "./json_text.ts";
import {
  type CompletionMessage,
  type HubMessage,
  type InvocationMessage,
  type MessageHeaders,
  MessageType,
  type SequenceMessage,
} from "../messages.ts";
import type { HubProtocol } from "../protocol.ts";
import type { TextOrBytes } from "../frame.ts";
import { ProtocolError } from "../protocol_error.ts";
import { toJson } from "../values.ts";

/** The `json` protocol. */
export const jsonProtocol: HubProtocol = {
  name: "json",
  format: "text",
  reader: (maximumBytes: number | null): FrameReader => new TextFrameReader(maximumBytes),
  parse,
  write,
  frame: (record: TextOrBytes): TextOrBytes => text(record) + RECORD_SEPARATOR,
};

function text(record: TextOrBytes): string {
  return typeof record === "string" ? record : new TextDecoder().decode(record);
}

function parse(record: TextOrBytes): HubMessage | undefined {
  const object = parseJsonObject(text(record), () => new ProtocolError("Error reading JSON."));
  check(object);
  const { type } = object;
  if (type === undefined) throw missing("type");
  // `check()` accepts only numbers.
  if (typeof type === "bigint" || ((type as number) | 0) !== type) throw notInt32();
  return READERS[type as keyof typeof READERS]?.(object, record);
}

const READERS = {
  [MessageType.Invocation]: (object: JsonObject): HubMessage => ({
    type: MessageType.Invocation,
    ...optional(object, "headers"),
    ...(object.invocationId ? optional(object, "invocationId") : undefined),
    ...call(object),
  }),
  [MessageType.StreamInvocation]: (object: JsonObject): HubMessage => ({
    type: MessageType.StreamInvocation,
    ...optional(object, "headers"),
    invocationId: invocationId(object),
    ...call(object),
  }),
  [MessageType.StreamItem]: (object: JsonObject): HubMessage => {
    const id = invocationId(object);
    if (!Object.hasOwn(object, "item")) throw missing("item");
    return {
      type: MessageType.StreamItem,
      ...optional(object, "headers"),
      invocationId: id,
      item: object.item,
    };
  },
  [MessageType.Completion]: (object: JsonObject, record: TextOrBytes): HubMessage => {
    const id = invocationId(object);
    const hasResult = Object.hasOwn(object, "result");
    if (hasResult && object.error !== undefined) {
      throw new ProtocolError("The 'error' and 'result' properties are mutually exclusive.");
    }
    return {
      type: MessageType.Completion,
      ...optional(object, "headers"),
      invocationId: id,
      ...optional(object, "error"),
      ...(hasResult ? { result: object.result } : undefined),
      record,
    };
  },
  [MessageType.CancelInvocation]: (object: JsonObject): HubMessage => ({
    type: MessageType.CancelInvocation,
    ...optional(object, "headers"),
    invocationId: invocationId(object),
  }),
  [MessageType.Ping]: (): HubMessage => ({ type: MessageType.Ping }),
  [MessageType.Close]: (object: JsonObject): HubMessage => ({
    type: MessageType.Close,
    ...optional(object, "error"),
    ...optional(object, "allowReconnect"),
  }),
  [MessageType.Ack]: (object: JsonObject) => sequence(MessageType.Ack, object),
  [MessageType.Sequence]: (object: JsonObject) => sequence(MessageType.Sequence, object),
} as const;

/** Checks the types of known members, the same for all messages; the error texts are upstream's. */
function check(object: JsonObject): void {
  for (const member of Object.keys(object)) {
    const value = object[member];
    switch (member) {
      case "type":
        if (typeof value !== "number" && typeof value !== "bigint") {
          throw expected(member, "Number");
        }
        break;
      case "target":
      case "invocationId":
      case "error":
        if (typeof value !== "string") throw expected(member, "String");
        break;
      case "arguments":
      case "streamIds":
        if (!Array.isArray(value)) throw expected(member, "Array");
        if (member === "streamIds") checkStreamIds(value);
        break;
      case "headers":
        checkHeaders(value);
        break;
      case "allowReconnect":
        if (typeof value !== "boolean") {
          throw new ProtocolError("Expected 'allowReconnect' to be true or false.");
        }
        break;
    }
  }
}

function checkStreamIds(ids: readonly unknown[]): void {
  for (const id of ids) {
    if (id === null) throw new ProtocolError("Null value for 'streamIds' is not valid.");
    if (typeof id !== "string") throw expected("streamIds", "String");
  }
}

function checkHeaders(headers: unknown): asserts headers is MessageHeaders {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw expected("headers", "StartObject");
  }
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== "string") {
      throw new ProtocolError(`Expected header '${name}' to be of type String.`);
    }
  }
}

function optional(object: JsonObject, member: string): JsonObject | undefined {
  return Object.hasOwn(object, member) ? { [member]: object[member] } : undefined;
}

function call(object: JsonObject): Pick<InvocationMessage, "target" | "arguments" | "streamIds"> {
  const { target, arguments: args, streamIds } = object;
  if (typeof target !== "string") throw missing("target");
  if (!Array.isArray(args)) throw missing("arguments");
  if (streamIds === undefined) return { target, arguments: args };
  // `check()` accepts only an array of strings.
  return { target, arguments: args, streamIds: streamIds as readonly string[] };
}

function invocationId(object: JsonObject): string {
  const { invocationId } = object;
  if (typeof invocationId !== "string" || invocationId === "") throw missing("invocationId");
  return invocationId;
}

function sequence(type: SequenceMessage["type"], object: JsonObject): HubMessage {
  if (object.sequenceId === undefined || object.sequenceId === null) throw missing("sequenceId");
  const sequenceId = toNumber(object.sequenceId);
  if (sequenceId === undefined) throw expected("sequenceId", "Number");
  // Beyond 2^53 the number is not exact; no connection sends that many messages.
  if (Number.isInteger(sequenceId) && sequenceId >= -(2 ** 63) && sequenceId < 2 ** 63) {
    return { type, sequenceId };
  }
  throw new ProtocolError(
    "Either the JSON value is not in a supported format, or is out of bounds for an Int64.",
    "FormatException",
  );
}

function missing(member: string): ProtocolError {
  return new ProtocolError(`Missing required property '${member}'.`);
}

function expected(member: string, type: string): ProtocolError {
  return new ProtocolError(`Expected '${member}' to be of type ${type}.`);
}

/** Writes members in the order of the upstream server. */
function write(message: HubMessage): string {
  const { type } = message;
  switch (type) {
    case MessageType.Ping:
      return '{"type":6}\x1e';
    case MessageType.Invocation:
    case MessageType.StreamInvocation:
      return `${begin(message)},"target":${JSON.stringify(message.target)},"arguments":${
        toJson(message.arguments, "arguments")
      }${
        message.streamIds?.length ? `,"streamIds":${JSON.stringify(message.streamIds)}` : ""
      }}\x1e`;
    case MessageType.StreamItem:
      return `${begin(message)},"item":${toJson(message.item, "item")}}\x1e`;
    case MessageType.Completion:
      return `${begin(message)}${completionEnd(message)}}\x1e`;
    case MessageType.CancelInvocation:
      return `${begin(message)}}\x1e`;
    case MessageType.Close:
      return `{"type":7${
        message.error === undefined ? "" : `,"error":${JSON.stringify(message.error)}`
      }${message.allowReconnect ? ',"allowReconnect":true' : ""}}\x1e`;
    default:
      return `{"type":${type},"sequenceId":${message.sequenceId}}\x1e`;
  }
}

/** The first members of a message that belongs to a call. */
function begin(
  { type, headers, invocationId }: Extract<HubMessage, { readonly headers?: MessageHeaders }>,
): string {
  let text = `{"type":${type}`;
  if (headers !== undefined) text += `,"headers":${JSON.stringify(headers)}`;
  if (invocationId !== undefined) text += `,"invocationId":${JSON.stringify(invocationId)}`;
  return text;
}

function completionEnd(message: CompletionMessage): string {
  if (message.error !== undefined) return `,"error":${JSON.stringify(message.error)}`;
  return Object.hasOwn(message, "result") ? `,"result":${toJson(message.result, "result")}` : "";
}
