/**
 * How messages travel in each protocol, without a line of the server's own code for it: JSON by the
 * platform, MessagePack by the codec of the official client.
 *
 * @module
 */
import { decodeMulti, encode } from "@msgpack/msgpack";

/** The protocols by name. */
export type ProtocolName = "json" | "messagepack";

export const PROTOCOL_NAMES: readonly ProtocolName[] = ["json", "messagepack"];

/** A message with the members of the JSON form; what is absent is not written. */
export type Written = Readonly<Record<string, unknown>> & { readonly type: number };

/** What a server may say. */
export interface Answer {
  readonly type: number;
  readonly invocationId?: string;
  readonly item?: unknown;
  readonly result?: unknown;
  readonly error?: string;
  readonly target?: string;
  readonly arguments?: readonly unknown[];
  readonly allowReconnect?: boolean;
  readonly sequenceId?: number;
}

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true });

/** The bytes of a message with its framing. */
export function frameOf(protocol: ProtocolName, message: Written): Uint8Array<ArrayBuffer> {
  if (protocol === "json") return textEncoder.encode(`${JSON.stringify(message)}\x1e`);
  return lengthPrefixed(encode(itemsOf(message)));
}

/** `body` behind its length. */
export function lengthPrefixed(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix: number[] = [];
  for (let rest = body.length; prefix.length === 0 || rest > 0; rest >>>= 7) {
    prefix.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  }
  return new Uint8Array([...prefix, ...body]);
}

/** Bytes in a row. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The items of a message in MessagePack: the layout of `specs/signalr-wire.md §8.1`. */
export function itemsOf(message: Written): unknown[] {
  const { type, headers = {}, invocationId = null, streamIds = [] } = message;
  switch (type) {
    case 1:
    case 4:
      return [type, headers, invocationId, message.target, message.arguments, streamIds];
    case 2:
      return [type, headers, invocationId, message.item];
    case 3:
      if (message.error !== undefined) return [type, headers, invocationId, 1, message.error];
      return "result" in message
        ? [type, headers, invocationId, 3, message.result]
        : [type, headers, invocationId, 2];
    case 5:
      return [type, headers, invocationId];
    case 7:
      return [type, message.error ?? null, message.allowReconnect ?? false];
    default:
      return type === 6 ? [type] : [type, message.sequenceId];
  }
}

/** What a server wrote, which must be whole messages. */
export function readAnswers(protocol: ProtocolName, bytes: Uint8Array): Answer[] {
  if (protocol === "json") {
    const records = textDecoder.decode(bytes).split("\x1e");
    if (records.pop() !== "") throw new Error("A message of the server is not whole");
    return records.map((record) => JSON.parse(record));
  }
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    for (let shift = 0;; shift += 7) {
      const byte = bytes[at++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (at + length > bytes.length) throw new Error("A message of the server is not whole");
    for (const message of decodeMulti(bytes.subarray(at, at + length))) {
      answers.push(answerOf(message as unknown[]));
    }
    at += length;
  }
  return answers;
}

function answerOf([type, ...rest]: readonly unknown[]): Answer {
  switch (type) {
    case 1:
      return compact({
        type,
        invocationId: rest[1] ?? undefined,
        target: rest[2],
        arguments: rest[3],
      });
    case 2:
      return compact({ type, invocationId: rest[1], item: rest[2] });
    case 3: {
      const [, invocationId, kind, value] = rest;
      if (kind === 1) return compact({ type, invocationId, error: value });
      return compact({ type, invocationId, ...kind === 3 && { result: value } });
    }
    case 7:
      return compact({ type, error: rest[0] ?? undefined, allowReconnect: rest[1] || undefined });
    default:
      return compact({ type, sequenceId: rest[0] });
  }
}

/** As the JSON form: without what is absent. */
function compact(answer: Record<string, unknown>): Answer {
  const present = Object.entries(answer).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as unknown as Answer;
}
