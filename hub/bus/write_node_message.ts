/**
 * Writes the bytes of `node_messages.ts`; `read_node_message.ts` reads them.
 *
 * @module
 */
import { writeMoveMessage } from "./move_message_bytes.ts";
import { MOVE_KINDS } from "./move_messages.ts";
import { PackWriter } from "../protocol/pack/writer.ts";
import {
  ACTIVITIES,
  type ChannelNumber,
  type ClaimMessage,
  type HubMessage,
  type MessagesAnswer,
  type NodeMessage,
  type Sign,
} from "./node_messages.ts";
import { RELAY_KINDS } from "./relay_messages.ts";
import { writeRelayMessage } from "./write_relay_message.ts";

/** The first item of a message. */
export const VERSION = 1;
/** Stands for a message that nobody is to have: no envelope is empty. */
const NOTHING = new Uint8Array();

/** The second item of a message; those of `move_messages.ts` and `relay_messages.ts` are there. */
export const Kind = {
  Hello: 1,
  Sign: 2,
  Bye: 3,
  Knock: 4,
  Here: 5,
  AskIndex: 6,
  Index: 7,
  AskMessages: 8,
  Messages: 9,
  Claim: 10,
  Claimed: 11,
  // Those of `relay_messages.ts` are between these two.
  Stand: 19,
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
    case "claim":
    case "claimed":
    case "stand":
      return writeClaim(writer, message);
    case "askMove":
    case "moveState":
    case "moveReceipt":
    case "moveRefusal": {
      const [kind, items] = MOVE_KINDS[message.kind];
      head(writer, items, kind, message);
      return writeMoveMessage(writer, message);
    }
    default: {
      const [kind, items] = RELAY_KINDS[message.kind];
      start(writer, items, kind, message.id, message.node);
      return writeRelayMessage(writer, message);
    }
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
  start(writer, 11, kind, sign.id, sign.node);
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
  writer.array(sign.keys.length * 3);
  for (const { created, tag, secret } of sign.keys) {
    writer.integer(created);
    writer.integer(tag);
    writer.binary(secret);
  }
}

function writeClaim(writer: PackWriter, message: ClaimMessage): void {
  if (message.kind === "claim") {
    start(writer, 6, Kind.Claim, message.id, message.node);
    writer.string(message.connectionId);
    return writer.integer(message.issued);
  }
  if (message.kind === "stand") {
    start(writer, 5, Kind.Stand, message.id, message.node);
    return writer.string(message.connectionId);
  }
  start(writer, 5, Kind.Claimed, message.id, message.node);
  // No node has an empty name.
  writer.string(message.home ?? "");
}

function writeMessages(writer: PackWriter, answer: MessagesAnswer): void {
  head(writer, 11, Kind.Messages, answer);
  writer.string(answer.channel);
  writer.integer(answer.after);
  writer.integer(answer.upTo);
  writer.integer(answer.number);
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
