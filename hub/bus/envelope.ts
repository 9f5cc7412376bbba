/**
 * The bytes between nodes: ASP.NET Core SignalR's Redis payloads, `specs/signalr-redis.md §3`, with
 * extensions behind the items that .NET nodes read (§3.2):
 *
 * - The fifth item of an invocation is an array that starts with the publishing node's server name, so
 *   that a node recognises its own.
 * - The sixth item of a question to a client is `[timeout, ackId]`, that of a group command `[timeout]`.
 * - The second item of an acknowledgement is the reason why a command was refused.
 *
 * Readers require at least the listed items and ignore further ones.
 *
 * @module
 */
import type { Frames, SerializedInvocation } from "../protocol/serialized_invocation.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import { PackError, PackReader } from "../protocol/pack/reader.ts";
import { PackWriter } from "../protocol/pack/writer.ts";
import { ReceivedFrames } from "./received_frames.ts";

/** How deep the values nest that later versions may put behind the known items. */
const MAXIMUM_DEPTH = 8;

/** The part of an invocation that asks the client for a result. */
export interface Question {
  /** The id that the client's answer repeats. */
  readonly invocationId: string;
  /** The channel for the client's answer. */
  readonly returnChannel: string;
  /** How long the asking node waits, in milliseconds; `undefined` from a .NET node. */
  readonly timeout: number | undefined;
  /** The id of the acknowledgement that the asking node wants from the node of the client, if it wants one. */
  readonly ackId: number | undefined;
}

/** An invocation from the bus. */
export interface InvocationEnvelope {
  /** Connection ids that must not receive it. */
  readonly excluded: readonly string[];
  /** The frames its sender wrote. */
  readonly frames: Frames;
  /** The server name of the node that published it; `undefined` from a .NET node. */
  readonly origin: string | undefined;
  /** Present if the client is asked for a result. */
  readonly question: Question | undefined;
}

/** A client's answer from the bus. */
export interface CompletionEnvelope {
  /** The name of the hub protocol that the client speaks. */
  readonly protocol: string;
  /** The complete frame, a view of the payload. */
  readonly frame: Uint8Array;
}

/** Asks whichever node owns a connection to change its groups. */
export interface GroupCommand {
  /** Counts up per sending node; the acknowledgement repeats it. */
  readonly id: number;
  /** The sending node. */
  readonly serverName: string;
  /** A {@link GroupAction}; any other action is acknowledged without effect. */
  readonly action: number;
  readonly group: string;
  readonly connectionId: string;
  /** How long the sending node waits, in milliseconds; `undefined` from a .NET node. */
  readonly timeout: number | undefined;
}

/** {@link GroupCommand.action}. `Withdraw` undoes the `Add` of the same id, whose node waits no longer. */
export const GroupAction = { Add: 1, Remove: 2, Withdraw: 3 } as const;

/** Says that a group command was carried out, or that a client was asked. */
export interface Acknowledgement {
  /** The id of the command or the question. */
  readonly id: number;
  /** Why the command was refused, if it was. Never sent to a .NET node. */
  readonly error: string | undefined;
}

/** The payload of an invocation. */
export function writeInvocation(
  message: SerializedInvocation,
  excluded: readonly string[],
  origin: string,
  question?: Question,
): Uint8Array {
  const { json } = message;
  const writer = new PackWriter();
  try {
    writer.array(question === undefined ? 5 : 6);
    writer.array(excluded.length);
    for (const id of excluded) writer.string(id);
    writer.map(2);
    writer.string("json");
    writer.binary(json);
    writer.string("messagepack");
    message.writeMessagepack(writer);
    writeOptional(writer, question?.invocationId);
    writeOptional(writer, question?.returnChannel);
    writer.array(1);
    writer.string(origin);
    if (question !== undefined) writeNumbers(writer, question.timeout, question.ackId);
  } finally {
    writer.release();
  }
  return writer.finish();
}

/**
 * Reads an invocation; frames are views of `payload`.
 *
 * @throws {PackError} if it is malformed.
 */
export function readInvocation(payload: Uint8Array): InvocationEnvelope {
  const reader = new PackReader(payload);
  const items = atLeast(reader.array(), 2, "Invocation");
  const excluded = Array.from({ length: bounded(reader.array(), payload) }, () => reader.string());
  const frames = new ReceivedFrames();
  for (let left = bounded(reader.map(), payload); left > 0; left--) {
    frames.add(reader.string(), reader.binary());
  }
  // .NET nodes write no third and fourth item unless they ask for a result.
  const invocationId = items > 3 ? reader.optionalString() : undefined;
  const returnChannel = items > 3 ? reader.optionalString() : undefined;
  let origin: string | undefined;
  let left = 0;
  if (items > 4 && reader.isArray()) {
    left = reader.array();
    if (left-- > 0) origin = reader.optionalString();
  }
  if (!invocationId || !returnChannel) return { excluded, frames, origin, question: undefined };
  for (; left > 0; left--) reader.any(MAXIMUM_DEPTH);
  const [timeout, ackId] = items > 5 && origin !== undefined ? readNumbers(reader) : [];
  return { excluded, frames, origin, question: { invocationId, returnChannel, timeout, ackId } };
}

/** The payload of a client's answer: the complete frame in the client's own protocol. */
export function writeCompletion(protocol: string, frame: TextOrBytes): Uint8Array {
  const writer = new PackWriter();
  writer.array(2);
  writer.string(protocol);
  writer.binary(frame);
  return writer.finish();
}

/**
 * Reads a client's answer; the frame is a view of `payload`.
 *
 * @throws {PackError} if it is malformed.
 */
export function readCompletion(payload: Uint8Array): CompletionEnvelope {
  const reader = new PackReader(payload);
  atLeast(reader.array(), 2, "Completion");
  return { protocol: reader.string(), frame: reader.binary() };
}

/** The payload of a group command. */
export function writeGroupCommand(command: GroupCommand): Uint8Array {
  const writer = new PackWriter();
  writer.array(command.timeout === undefined ? 5 : 6);
  writer.integer(command.id);
  writer.string(command.serverName);
  writer.integer(command.action);
  writer.string(command.group);
  writer.string(command.connectionId);
  if (command.timeout !== undefined) writeNumbers(writer, command.timeout);
  return writer.finish();
}

/**
 * Reads a group command.
 *
 * @throws {PackError} if it is malformed.
 */
export function readGroupCommand(payload: Uint8Array): GroupCommand {
  const reader = new PackReader(payload);
  const items = atLeast(reader.array(), 5, "GroupCommand");
  const command = {
    id: reader.integer(),
    serverName: reader.string(),
    action: reader.integer(),
    group: reader.string(),
    connectionId: reader.string(),
  };
  const [timeout] = items > 5 ? readNumbers(reader) : [];
  return { ...command, timeout };
}

/** The payload of an acknowledgement. */
export function writeAck({ id, error }: Acknowledgement): Uint8Array {
  const writer = new PackWriter();
  writer.array(error === undefined ? 1 : 2);
  writer.integer(id);
  if (error !== undefined) writer.string(error);
  return writer.finish();
}

/**
 * Reads an acknowledgement.
 *
 * @throws {PackError} if it is malformed.
 */
export function readAck(payload: Uint8Array): Acknowledgement {
  const reader = new PackReader(payload);
  const items = atLeast(reader.array(), 1, "Ack");
  const id = reader.integer();
  const error = items > 1 ? reader.any(MAXIMUM_DEPTH) : undefined;
  return { id, error: typeof error === "string" ? error : undefined };
}

function writeOptional(writer: PackWriter, text: string | undefined): void {
  if (text === undefined) writer.nil();
  else writer.string(text);
}

/** Writes an array of numbers; those at its end that are `undefined` are left out. */
function writeNumbers(writer: PackWriter, ...numbers: readonly (number | undefined)[]): void {
  const given = numbers.filter((number) => number !== undefined);
  writer.array(given.length);
  for (const number of given) writer.integer(number);
}

/** Reads an array of numbers; anything else counts as an empty array. */
function readNumbers(reader: PackReader): number[] {
  if (!reader.isArray()) return [];
  return Array.from({ length: Math.min(reader.array(), 2) }, () => reader.integer());
}

function atLeast(items: number, wanted: number, kind: string): number {
  if (items >= wanted) return items;
  throw new PackError(`Insufficient items in ${kind} array.`);
}

/** A count cannot exceed the bytes there are: refused before anything is allocated for it. */
function bounded(count: number, payload: Uint8Array): number {
  if (count <= payload.length) return count;
  throw new PackError("Cannot read payload: it ends too early");
}
