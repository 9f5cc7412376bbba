/**
 * The bytes of `node_messages.ts`.
 *
 * @module
 */
import { PackError, PackReader } from "../protocol/pack/reader.ts";
import { PackWriter } from "../protocol/pack/writer.ts";
import {
  ACTIVITIES,
  type ChannelNumber,
  type HubMessage,
  type MessagesAnswer,
  type NodeMessage,
  type RepeatedMessage,
  type Sign,
} from "./node_messages.ts";

const VERSION = 1;
const NOTHING = new Uint8Array();

/** The longest name of a node, in UTF-16 code units. */
const MAXIMUM_NODE = 200;

/** How many items a list in a message may have. */
const MAXIMUM_ITEMS = 100_000;

/** The second item of a message. */
const Kind = {
  Hello: 1,
  Sign: 2,
  Bye: 3,
  Knock: 4,
  Here: 5,
  AskIndex: 6,
  Index: 7,
  AskMessages: 8,
  Messages: 9,
} as const;

/** The payload of a message. */
export function writeNodeMessage(message: NodeMessage): Uint8Array {
  const writer = new PackWriter();
  try {
    write(writer, message);
  } finally {
    writer.release();
  }
  return writer.finish();
}

function write(writer: PackWriter, message: NodeMessage): void {
  switch (message.kind) {
    case "hello":
    case "sign":
    case "bye":
      return writeSign(writer, message);
    case "knock":
      return head(writer, 5, Kind.Knock, message);
    case "here":
      return head(writer, 5, Kind.Here, message);
    case "askIndex":
      head(writer, 7, Kind.AskIndex, message);
      writer.integer(message.after);
      return optional(writer, message.age);
    case "index":
      head(writer, 11, Kind.Index, message);
      writer.integer(message.after);
      writer.integer(message.upTo);
      writer.integer(message.number);
      writer.integer(message.from);
      optional(writer, message.age);
      return writeChannels(writer, message.channels);
    case "askMessages":
      head(writer, 8, Kind.AskMessages, message);
      writer.string(message.channel);
      writer.integer(message.after);
      return optional(writer, message.age);
    case "messages":
      return writeMessages(writer, message);
  }
}

function start(writer: PackWriter, items: number, kind: number, id: number, node: string): void {
  writer.array(items);
  writer.integer(VERSION);
  writer.integer(kind);
  writer.integer(id);
  writer.string(node);
}

function head(writer: PackWriter, items: number, kind: number, message: HubMessage): void {
  start(writer, items, kind, message.id, message.node);
  writer.string(message.hub);
}

function writeSign(writer: PackWriter, sign: Sign): void {
  const kind = { hello: Kind.Hello, sign: Kind.Sign, bye: Kind.Bye }[sign.kind];
  start(writer, 10, kind, sign.id, sign.node);
  writer.integer(ACTIVITIES.indexOf(sign.activity));
  writer.integer(sign.interval);
  writer.integer(sign.started);
  writer.integer(sign.date);
  writer.integer(sign.connections);
  writer.array(sign.hubs.length);
  for (const { hub, number, told, tails } of sign.hubs) {
    writer.array(4);
    writer.string(hub);
    writer.integer(number);
    writer.integer(told);
    writeChannels(writer, tails);
  }
}

function writeMessages(writer: PackWriter, answer: MessagesAnswer): void {
  head(writer, 10, Kind.Messages, answer);
  writer.string(answer.channel);
  writer.integer(answer.after);
  writer.integer(answer.upTo);
  writer.integer(answer.missing);
  writer.array(answer.messages.length * 4);
  for (const { number, back, age, payload } of answer.messages) {
    writer.integer(number);
    writer.integer(back);
    writer.integer(age);
    if (payload === null) writer.nil();
    else writer.binary(payload ?? NOTHING);
  }
}

function writeChannels(writer: PackWriter, channels: readonly ChannelNumber[]): void {
  writer.array(channels.length * 2);
  for (const [channel, number] of channels) {
    writer.string(channel);
    writer.integer(number);
  }
}

function optional(writer: PackWriter, value: number | undefined): void {
  if (value === undefined) writer.nil();
  else writer.integer(value);
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
  const node = reader.string();
  if (node.length > MAXIMUM_NODE) throw new PackError("The name of a node is too long.");
  if (kind <= Kind.Bye) return readSign(reader, kind, id, node);
  return readHubMessage(reader, kind, { id, node, hub: reader.string() });
}

/** How many items a message of each kind has. */
const ITEMS: ReadonlyMap<number, number> = new Map([
  [Kind.Hello, 10],
  [Kind.Sign, 10],
  [Kind.Bye, 10],
  [Kind.Knock, 5],
  [Kind.Here, 5],
  [Kind.AskIndex, 7],
  [Kind.Index, 11],
  [Kind.AskMessages, 8],
  [Kind.Messages, 10],
]);

function readSign(reader: PackReader, kind: number, id: number, node: string): Sign {
  const activity = ACTIVITIES[count(reader)] ?? "up";
  const [interval, started, date, connections] = [count, count, count, count].map((read) =>
    read(reader)
  ) as [number, number, number, number];
  const hubs = list(reader, 1, () => {
    if (reader.array() < 4) throw new PackError("Insufficient items in a sign.");
    return {
      hub: reader.string(),
      number: count(reader),
      told: count(reader),
      tails: readChannels(reader),
    };
  });
  const name = kind === Kind.Hello ? "hello" : kind === Kind.Bye ? "bye" : "sign";
  return { kind: name, id, node, activity, interval, started, date, connections, hubs };
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
