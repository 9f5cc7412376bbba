/**
 * Reads the bytes that `write_node_message.ts` writes.
 *
 * @module
 */
import { PackError, PackReader } from "../protocol/pack/reader.ts";
import {
  ACTIVITIES,
  type ChannelNumber,
  type ClaimMessage,
  type FarmKey,
  type HubMessage,
  type HubSign,
  type NodeMessage,
  type RepeatedMessage,
  SECRET_BYTES,
  type Sign,
} from "./node_messages.ts";
import { readMoveMessage } from "./move_message_bytes.ts";
import { MOVE_KINDS, type MoveMessage } from "./move_messages.ts";
import { readRelayMessage } from "./read_relay_message.ts";
import { RELAY_KINDS, type RelayMessage } from "./relay_messages.ts";
import { Kind, VERSION } from "./write_node_message.ts";

/** The longest name of a node, in UTF-16 code units. */
const MAXIMUM_NODE = 200;

/** How many items a list in a message may have. */
const MAXIMUM_ITEMS = 100_000;

/** How deep the values nest that later versions may put behind the known items. */
const MAXIMUM_DEPTH = 8;

/** Whether a payload is a message between nodes, and not an invocation, whose first item is an array. */
export function isNodeMessage(payload: Uint8Array): boolean {
  return ((payload[0] ?? 0) & 0xf0) === 0x90 && (payload[1] ?? 0xff) < 0x80;
}

/**
 * Reads a message; bytes in it are views of `payload`. `undefined` if its version or kind is not known.
 *
 * @throws {PackError} if it is malformed.
 */
export function readNodeMessage(payload: Uint8Array): NodeMessage | undefined {
  const reader = new PackReader(payload);
  const items = reader.array();
  if (items < 2) throw new PackError("Insufficient items in a message of a node.");
  if (reader.integer() !== VERSION) return undefined;
  const kind = reader.integer();
  const wanted = ITEMS.get(kind);
  if (wanted === undefined) return undefined;
  if (items < wanted) throw new PackError("Insufficient items in a message of a node.");
  const id = count(reader);
  const node = checkNode(reader.string());
  if (kind <= Kind.Bye) return readSign(reader, kind, id, node);
  const moving = MOVING.get(kind);
  if (moving !== undefined) {
    return readMoveMessage(reader, moving, { id, node, hub: reader.string() });
  }
  const relayed = RELAYED.get(kind);
  if (relayed !== undefined) return readRelayMessage(reader, relayed, id, node);
  if (kind >= Kind.Claim) return readClaim(reader, kind, id, node);
  return readHubMessage(reader, kind, { id, node, hub: reader.string() });
}

/** How many items a message of each kind has. */
const ITEMS: ReadonlyMap<number, number> = new Map([
  [Kind.Hello, 11],
  [Kind.Sign, 11],
  [Kind.Bye, 11],
  [Kind.Knock, 5],
  [Kind.Here, 5],
  [Kind.AskIndex, 7],
  [Kind.Index, 11],
  [Kind.AskMessages, 8],
  [Kind.Messages, 10],
  [Kind.Claim, 6],
  [Kind.Claimed, 5],
  [Kind.Stand, 5],
  ...Object.values(RELAY_KINDS),
  ...Object.values(MOVE_KINDS),
]);

/** The messages about connections that move. */
const MOVING: ReadonlyMap<number, MoveMessage["kind"]> = new Map(
  Object.entries(MOVE_KINDS).map(([name, [kind]]) => [kind, name as MoveMessage["kind"]]),
);

/** The messages about requests for connections of other nodes. */
const RELAYED: ReadonlyMap<number, RelayMessage["kind"]> = new Map(
  Object.entries(RELAY_KINDS).map(([name, [kind]]) => [kind, name as RelayMessage["kind"]]),
);

function checkNode(name: string): string {
  if (name !== "" && name.length <= MAXIMUM_NODE) return name;
  throw new PackError("The name of a node is empty or too long.");
}

function readSign(reader: PackReader, kind: number, id: number, node: string): Sign {
  const activity = ACTIVITIES[count(reader)] ?? "up";
  return {
    kind: kind === Kind.Hello ? "hello" : kind === Kind.Bye ? "bye" : "sign",
    id,
    node,
    activity,
    interval: count(reader),
    started: count(reader),
    date: count(reader),
    connections: count(reader),
    hubs: list(reader, 1, () => readHubSign(reader)),
    keys: list(reader, 3, () => readKey(reader)),
  };
}

function readKey(reader: PackReader): FarmKey {
  const key = { created: count(reader), tag: count(reader), secret: reader.binary() };
  if (key.tag <= 0xffff && key.secret.length === SECRET_BYTES) return key;
  throw new PackError("A key in a sign is malformed.");
}

function readClaim(reader: PackReader, kind: number, id: number, node: string): ClaimMessage {
  if (kind === Kind.Claim) {
    return { kind: "claim", id, node, connectionId: reader.string(), issued: count(reader) };
  }
  if (kind === Kind.Stand) return { kind: "stand", id, node, connectionId: reader.string() };
  const home = reader.string();
  return { kind: "claimed", id, node, home: home === "" ? undefined : checkNode(home) };
}

function readHubSign(reader: PackReader): HubSign {
  const items = reader.array();
  if (items < 4) throw new PackError("Insufficient items in a sign.");
  const hub = reader.string();
  const sign = { hub, number: count(reader), told: count(reader), tails: readChannels(reader) };
  for (let left = items - 4; left > 0; left--) reader.any(MAXIMUM_DEPTH);
  return sign;
}

function readHubMessage(
  reader: PackReader,
  kind: number,
  about: { readonly id: number; readonly node: string; readonly hub: string },
): HubMessage {
  switch (kind) {
    case Kind.Knock:
      return { kind: "knock", ...about };
    case Kind.Here:
      return { kind: "here", ...about };
    case Kind.AskIndex:
      return { kind: "askIndex", ...about, after: count(reader), age: optionalCount(reader) };
    case Kind.Index:
      return {
        kind: "index",
        ...about,
        after: count(reader),
        upTo: count(reader),
        number: count(reader),
        from: count(reader),
        age: optionalCount(reader),
        channels: readChannels(reader),
      };
    case Kind.AskMessages: {
      const channel = reader.string();
      return {
        kind: "askMessages",
        ...about,
        channel,
        after: count(reader),
        age: optionalCount(reader),
      };
    }
    default: {
      const channel = reader.string();
      return {
        kind: "messages",
        ...about,
        channel,
        after: count(reader),
        upTo: count(reader),
        number: count(reader),
        missing: count(reader),
        messages: readMessages(reader),
      };
    }
  }
}

function readMessages(reader: PackReader): RepeatedMessage[] {
  return list(reader, 4, () => {
    const number = count(reader);
    const back = reader.integer();
    const age = count(reader);
    if (reader.isNil()) {
      reader.optionalString();
      return { number, back, age, payload: null };
    }
    const payload = reader.binary();
    // No envelope is empty.
    return { number, back, age, payload: payload.length === 0 ? undefined : payload };
  });
}

function readChannels(reader: PackReader): ChannelNumber[] {
  return list(reader, 2, () => [reader.string(), count(reader)]);
}

/** Reads an array whose items go together in groups of `size`. */
function list<T>(reader: PackReader, size: number, read: () => T): T[] {
  const groups = reader.array() / size;
  // The array grows as its items are read: its length is only a claim.
  if (!Number.isInteger(groups) || groups > MAXIMUM_ITEMS) {
    throw new PackError("A list in a message of a node is malformed.");
  }
  const items: T[] = [];
  for (let left = groups; left > 0; left--) items.push(read());
  return items;
}

function count(reader: PackReader): number {
  const value = reader.integer();
  if (value >= 0) return value;
  throw new PackError("A number in a message of a node is negative.");
}

function optionalCount(reader: PackReader): number | undefined {
  if (!reader.isNil()) return count(reader);
  reader.optionalString();
  return undefined;
}
