/**
 * A stateful connection as a value: what one node tells another so that the connection goes on there.
 *
 * The value is a MessagePack array that starts with the version of this format. Readers ignore further items.
 * The user and the request do not travel: the new home takes both from the request that comes to it.
 *
 * @module
 */
import type { ChannelNumbers, HeardNumbers, NodeNumber } from "../bus/heard_numbers.ts";
import type { SequenceState } from "../connection/stateful_reconnect.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import { PackError, PackReader } from "../protocol/pack/reader.ts";
import { PackWriter } from "../protocol/pack/writer.ts";
import type { HubProtocol } from "../protocol/protocol.ts";
import { findProtocol } from "../protocol/protocols.ts";
import { packItems, unpackItems } from "./items.ts";

/** The state of a connection on which no call, stream or upload runs. */
export interface ConnectionState {
  /** The name of the hub on the bus. */
  readonly hub: string;
  /** The public connection id. */
  readonly id: string;
  /** The id of the user; `undefined` for an anonymous client. */
  readonly userId: string | undefined;
  /** When the authentication of the user expires, in epoch milliseconds; `undefined` if it does not. */
  readonly expires: number | undefined;
  readonly protocol: HubProtocol;
  readonly groups: readonly string[];
  /** What the connection has had of the messages on its channels. */
  readonly heard: HeardNumbers;
  /** The messages of the client and for the client. */
  readonly sequence: SequenceState;
  /** The `items` of the hub; `items.ts` says which ones move. */
  readonly items: ReadonlyMap<unknown, unknown>;
}

const VERSION = 1;
const ITEMS = 12;

/**
 * Writes a value.
 *
 * @throws {TypeError} if the `items` cannot move.
 */
export function writeConnectionState(state: ConnectionState): Uint8Array {
  const items = packItems(state.items);
  const writer = new PackWriter();
  try {
    write(writer, state, items);
  } finally {
    writer.release();
  }
  return writer.finish().slice();
}

function write(writer: PackWriter, state: ConnectionState, items: Uint8Array): void {
  const { userId, expires, sequence, heard } = state;
  writer.array(ITEMS);
  writer.integer(VERSION);
  writer.string(state.hub);
  writer.string(state.id);
  if (userId === undefined) writer.nil();
  else writer.string(userId);
  if (expires === undefined) writer.nil();
  else writer.integer(Math.max(0, expires));
  writer.string(state.protocol.name);
  writer.array(state.groups.length);
  for (const group of state.groups) writer.string(group);
  writeNumbers(writer, heard);
  writer.integer(sequence.acknowledged);
  writer.integer(sequence.received);
  writer.array(sequence.unacknowledged.length);
  for (const content of sequence.unacknowledged) {
    if (typeof content === "string") writer.string(content);
    else writer.binary(content);
  }
  writer.binary(items);
}

/** The names of nodes are long: the channels say them by their place in the list of the nodes. */
function writeNumbers(writer: PackWriter, { nodes, channels }: HeardNumbers): void {
  const places = new Map<string, number>();
  const all = new Map(nodes);
  for (const { last } of channels) {
    for (const [node] of last) if (!all.has(node)) all.set(node, 0);
  }
  writer.array(2);
  writer.array(2 * all.size);
  for (const [node, number] of all) {
    places.set(node, places.size);
    writer.string(node);
    writer.integer(number);
  }
  writer.array(2 * channels.length);
  for (const { channel, last } of channels) {
    writer.string(channel);
    writer.array(2 * last.length);
    for (const [node, number] of last) {
      writer.integer(places.get(node) ?? 0);
      writer.integer(number);
    }
  }
}

/**
 * Reads a value. Bytes in it are views of `bytes`.
 *
 * @throws {PackError} if it is malformed, or written by a later version.
 */
export function readConnectionState(bytes: Uint8Array): ConnectionState {
  const reader = new PackReader(bytes);
  if (reader.array() < ITEMS) throw malformed("it has too few items");
  if (reader.integer() !== VERSION) throw malformed("its version is not known");
  const hub = name(reader);
  const id = name(reader);
  const userId = reader.optionalString();
  const expires = reader.isNil() ? void reader.optionalString() : count(reader);
  const protocol = findProtocol(reader.string());
  if (protocol === undefined) throw malformed("its protocol is not known");
  const groups = list(reader, 1, () => name(reader));
  const heard = readNumbers(reader);
  const acknowledged = count(reader);
  const received = count(reader);
  const unacknowledged = list(reader, 1, () => content(reader, protocol));
  const items = unpackItems(reader.binary());
  const sequence = { acknowledged, unacknowledged, received };
  return { hub, id, userId, expires, protocol, groups, heard, sequence, items };
}

function readNumbers(reader: PackReader): HeardNumbers {
  if (reader.array() !== 2) throw malformed("its numbers are not two lists");
  const nodes = list(reader, 2, (): NodeNumber => [name(reader), count(reader)]);
  const channels = list(reader, 2, (): ChannelNumbers => {
    const channel = name(reader);
    const last = list(reader, 2, (): NodeNumber => {
      const node = nodes[count(reader)];
      if (node === undefined) throw malformed("a number belongs to no node");
      return [node[0], count(reader)];
    });
    return { channel, last };
  });
  return { nodes, channels };
}

/** A frame of the protocol: a text protocol has text, a binary protocol bytes. */
function content(reader: PackReader, { format }: HubProtocol): TextOrBytes {
  return format === "text" ? reader.string() : reader.binary();
}

/** Reads an array whose items go together in groups of `size`; it grows as they are read. */
function list<T>(reader: PackReader, size: number, read: () => T): T[] {
  const groups = reader.array() / size;
  if (!Number.isInteger(groups)) throw malformed("a list has an item too many");
  const items: T[] = [];
  for (let left = groups; left > 0; left--) items.push(read());
  return items;
}

function name(reader: PackReader): string {
  const text = reader.string();
  if (text === "") throw malformed("a name is empty");
  return text;
}

function count(reader: PackReader): number {
  const value = reader.integer();
  if (value < 0) throw malformed("a number is negative");
  return value;
}

function malformed(why: string): PackError {
  return new PackError(`Cannot read the state of a connection: ${why}`);
}
