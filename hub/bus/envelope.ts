/**
 * The bytes between nodes: ASP.NET Core SignalR's Redis payloads, `specs/signalr-redis.md §3`, with
 * extensions behind the items that .NET nodes read (§3.2):
 *
 * - The fifth item of an invocation is `[node, number, back]`: the publishing node's server name, so that
 *   a node recognises its own, and the numbers by which others find what they have missed (`Numbering`).
 *   An invocation that asks for a result has no numbers.
 * - The sixth item of a question to a client, and of a group command, is `[timeout]`.
 * - The second item of an acknowledgement is the reason why a command was refused.
 *
 * Readers require at least the listed items and ignore further ones.
 *
 * @module
 */
import type { TextOrBytes } from "../protocol/frame.ts";
import { PackReader } from "../protocol/pack/reader.ts";
import { PackWriter } from "../protocol/pack/writer.ts";
import { atLeast, MAXIMUM_DEPTH, readTimeout, writeTimeout } from "./envelope_items.ts";

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

/** Says that a group command was carried out. */
export interface Acknowledgement {
  /** The id of the command. */
  readonly id: number;
  /** Why the command was refused, if it was. Never sent to a .NET node. */
  readonly error: string | undefined;
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
  if (command.timeout !== undefined) writeTimeout(writer, command.timeout);
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
  return { ...command, timeout: items > 5 ? readTimeout(reader) : undefined };
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
