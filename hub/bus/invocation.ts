/**
 * The payloads of invocations between nodes; `envelope.ts` says what they have in common with ASP.NET
 * Core's.
 *
 * @module
 */
import type { Frames, SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { PackReader } from "../protocol/pack/reader.ts";
import { PackWriter } from "../protocol/pack/writer.ts";
import {
  atLeast,
  bounded,
  MAXIMUM_DEPTH,
  readTimeout,
  write,
  writeTimeout,
} from "./envelope_items.ts";
import { ReceivedFrames } from "./received_frames.ts";

/** The part of an invocation that asks the client for a result. */
export interface Question {
  /** The id that the client's answer repeats. */
  readonly invocationId: string;
  /** The channel for the client's answer. */
  readonly returnChannel: string;
  /** How long the asking node waits, in milliseconds; `undefined` from a .NET node. */
  readonly timeout: number | undefined;
}

/** An invocation from the bus. */
export interface InvocationEnvelope {
  /** Connection ids that must not receive it. */
  readonly excluded: readonly string[];
  /** The frames its sender wrote. */
  readonly frames: Frames;
  /** The server name of the node that published it; `undefined` from a .NET node. */
  readonly origin: string | undefined;
  /** The number of the message; `undefined` from a .NET node, and of a question. */
  readonly number: number | undefined;
  /** See `Numbering`; 0 without a number. */
  readonly back: number;
  /** Present if the client is asked for a result. */
  readonly question: Question | undefined;
}

/** The payload of an invocation without its numbers, for {@link numbered} to add. */
export function writeInvocation(
  message: SerializedInvocation,
  excluded: readonly string[],
  origin: string,
): Uint8Array {
  return beginInvocation(message, excluded, origin).finish();
}

/**
 * Writes an invocation up to its numbers; {@link endInvocation} follows before another writer is made. A
 * message gets its number when nothing can fail any more.
 */
export function beginInvocation(
  message: SerializedInvocation,
  excluded: readonly string[],
  origin: string,
): PackWriter {
  const writer = new PackWriter();
  try {
    writer.array(5);
    writeMessage(writer, message, excluded);
    writer.nil();
    writer.nil();
    writer.array(3);
    writer.string(origin);
  } catch (error) {
    writer.release();
    throw error;
  }
  return writer;
}

/** Writes the numbers of an invocation, and returns its payload: a view, see `PackWriter.finish`. */
export function endInvocation(writer: PackWriter, number: number, back: number): Uint8Array {
  writer.integer(number);
  writer.integer(back);
  return writer.finish();
}

/** How many bytes a number takes that {@link numbered} adds. */
const NUMBER_BYTES = 9;

/** A payload without its numbers, with them: in new memory. No writer is made, see `PackWriter.last`. */
export function numbered(payload: Uint8Array, number: number, back: number): Uint8Array {
  const whole = new Uint8Array(payload.length + 2 * NUMBER_BYTES);
  whole.set(payload);
  const view = new DataView(whole.buffer, payload.length);
  for (const [at, value] of [[0, number], [NUMBER_BYTES, back]] as const) {
    view.setUint8(at, 0xd3);
    view.setInt32(at + 1, Math.floor(value / 2 ** 32));
    view.setUint32(at + 5, value);
  }
  return whole;
}

/** The payload of an invocation that asks the client for a result. */
export function writeQuestion(
  message: SerializedInvocation,
  origin: string,
  question: Question,
): Uint8Array {
  return write((writer) => {
    writer.array(6);
    writeMessage(writer, message, []);
    writer.string(question.invocationId);
    writer.string(question.returnChannel);
    writer.array(1);
    writer.string(origin);
    writeTimeout(writer, question.timeout);
  });
}

function writeMessage(
  writer: PackWriter,
  message: SerializedInvocation,
  excluded: readonly string[],
): void {
  const { json } = message;
  writer.array(excluded.length);
  for (const id of excluded) writer.string(id);
  writer.map(2);
  writer.string("json");
  writer.binary(json);
  writer.string("messagepack");
  message.writeMessagepack(writer);
}

/**
 * Reads an invocation; frames are views of `payload`.
 *
 * @throws {PackError} if it is malformed.
 */
export function readInvocation(payload: Uint8Array): InvocationEnvelope {
  const reader = new PackReader(payload);
  const items = atLeast(reader.array(), 2, "Invocation");
  const exclusions = bounded(reader.array(), payload);
  const excluded = exclusions === 0
    ? NOBODY
    : Array.from({ length: exclusions }, () => reader.string());
  const frames = new ReceivedFrames();
  for (let left = bounded(reader.map(), payload); left > 0; left--) {
    frames.add(reader.string(), reader.binary());
  }
  // .NET nodes write no third and fourth item unless they ask for a result.
  const invocationId = items > 3 ? reader.optionalString() : undefined;
  const returnChannel = items > 3 ? reader.optionalString() : undefined;
  const read: Omit<InvocationEnvelope, keyof Publisher> & Publisher = {
    excluded,
    frames,
    origin: undefined,
    number: undefined,
    back: 0,
    question: undefined,
  };
  if (items > 4 && reader.isArray()) readPublisher(reader, read);
  if (!invocationId || !returnChannel) return read;
  const timeout = items > 5 && read.origin !== undefined ? readTimeout(reader) : undefined;
  return { ...read, question: { invocationId, returnChannel, timeout } };
}

const NOBODY: readonly never[] = [];

/** The part of an invocation that says who published it. */
interface Publisher {
  origin: string | undefined;
  number: number | undefined;
  back: number;
}

function readPublisher(reader: PackReader, publisher: Publisher): void {
  let left = reader.array();
  if (left-- === 0) return;
  publisher.origin = reader.optionalString();
  if (left > 1) {
    left -= 2;
    const number = reader.integer();
    const back = reader.integer();
    // A number of another version, or of a stranger, counts as none.
    if (number >= 1 && Math.abs(back) <= number) {
      publisher.number = number;
      publisher.back = back;
    }
  }
  for (; left > 0; left--) reader.any(MAXIMUM_DEPTH);
}
