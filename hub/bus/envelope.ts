/**
 * The bytes between nodes: ASP.NET Core SignalR's Redis payloads, `specs/signalr-redis.md §3`, with
 * one extension (§3.2): an invocation of ours has five items, the last an array that starts with the
 * publishing node's server name, so that a node recognises its own. .NET nodes ignore it.
 *
 * Readers require at least the listed items and ignore further ones.
 *
 * @module
 */
import type { Frames, SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { Frame, type TextOrBytes } from "../protocol/frame.ts";
import { PackError, PackReader, readText } from "../protocol/pack/reader.ts";
import { PackWriter } from "../protocol/pack/writer.ts";

/** An invocation from the bus. */
export interface InvocationEnvelope {
  /** Connection ids that must not receive it. */
  readonly excluded: readonly string[];
  /** The frames its sender wrote. */
  readonly frames: Frames;
  /** The server name of the node that published it; `undefined` from a .NET node. */
  readonly origin: string | undefined;
  /** The id that the client's answer repeats; only if one is asked for. */
  readonly invocationId: string | undefined;
  /** The channel for the client's answer; only if one is asked for. */
  readonly returnChannel: string | undefined;
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
  /** 1 adds, 2 removes; any other is acknowledged without effect. */
  readonly action: number;
  readonly group: string;
  readonly connectionId: string;
}

/** {@link GroupCommand.action}. */
export const GroupAction = { Add: 1, Remove: 2 } as const;

/** The payload of an invocation. */
export function writeInvocation(
  message: SerializedInvocation,
  excluded: readonly string[],
  origin: string,
  result?: Pick<InvocationEnvelope, "invocationId" | "returnChannel">,
): Uint8Array {
  const { json } = message;
  const writer = new PackWriter();
  try {
    writer.array(5);
    writer.array(excluded.length);
    for (const id of excluded) writer.string(id);
    writer.map(2);
    writer.string("json");
    writer.binary(json);
    writer.string("messagepack");
    message.writeMessagepack(writer);
    writeOptional(writer, result?.invocationId);
    writeOptional(writer, result?.returnChannel);
    writer.array(1);
    writer.string(origin);
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
  if (items > 4 && reader.isArray() && reader.array() > 0) origin = reader.optionalString();
  return {
    excluded,
    frames,
    origin,
    invocationId: invocationId || undefined,
    returnChannel: returnChannel || undefined,
  };
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
  writer.array(5);
  writer.integer(command.id);
  writer.string(command.serverName);
  writer.integer(command.action);
  writer.string(command.group);
  writer.string(command.connectionId);
  return writer.finish();
}

/**
 * Reads a group command.
 *
 * @throws {PackError} if it is malformed.
 */
export function readGroupCommand(payload: Uint8Array): GroupCommand {
  const reader = new PackReader(payload);
  atLeast(reader.array(), 5, "GroupCommand");
  return {
    id: reader.integer(),
    serverName: reader.string(),
    action: reader.integer(),
    group: reader.string(),
    connectionId: reader.string(),
  };
}

/** The payload of an acknowledgement. */
export function writeAck(id: number): Uint8Array {
  const writer = new PackWriter();
  writer.array(1);
  writer.integer(id);
  return writer.finish();
}

/**
 * Reads an acknowledgement.
 *
 * @throws {PackError} if it is malformed.
 */
export function readAck(payload: Uint8Array): number {
  const reader = new PackReader(payload);
  atLeast(reader.array(), 1, "Ack");
  return reader.integer();
}

function writeOptional(writer: PackWriter, text: string | undefined): void {
  if (text === undefined) writer.nil();
  else writer.string(text);
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

/** The frames of another node; each is made once, when the first connection needs it. */
class ReceivedFrames implements Frames {
  #jsonBytes: Uint8Array | undefined;
  #json: Frame | undefined;
  #messagepackBytes: Uint8Array | undefined;
  #messagepack: Frame | undefined;
  #others: Map<string, Frame> | undefined;

  add(protocol: string, bytes: Uint8Array): void {
    if (protocol === "json") this.#jsonBytes = bytes;
    else if (protocol === "messagepack") this.#messagepackBytes = bytes;
    else (this.#others ??= new Map()).set(protocol, new Frame(bytes));
  }

  frame(protocol: string): Frame | undefined {
    if (protocol === "json") {
      return this.#json ??= this.#jsonBytes && new Frame(readText(this.#jsonBytes));
    }
    if (protocol !== "messagepack") return this.#others?.get(protocol);
    return this.#messagepack ??= this.#messagepackBytes && new Frame(this.#messagepackBytes);
  }
}
