/**
 * The MessagePack hub protocol, as far as nodes need it to write for each other's clients.
 * Layout: `specs/signalr-wire.md §8.1`, framing §6.
 *
 * @module
 */
import { Encoder } from "@msgpack/msgpack";
import { MessageType } from "./messages.ts";
import { toPackable } from "./values.ts";

/** The protocol's name in the handshake and between nodes. */
export const MESSAGEPACK = "messagepack";

const encoder = new Encoder({ ignoreUndefined: true });

/**
 * The framed Invocation: a length prefix, then the message.
 *
 * @throws {TypeError} if an argument cannot be serialised.
 */
export function writeMessagePackInvocation(
  target: string,
  args: readonly unknown[],
  invocationId?: string,
): Uint8Array {
  return frame([
    MessageType.Invocation,
    {},
    invocationId ?? null,
    target,
    args.map(toPackable),
    [],
  ]);
}

function frame(message: unknown): Uint8Array {
  // The shared buffer is good until the next call; the copy into the frame is the only one.
  const body = encoder.encodeSharedRef(message);
  const prefix = lengthPrefix(body.length);
  const framed = new Uint8Array(prefix.length + body.length);
  framed.set(prefix);
  framed.set(body, prefix.length);
  return framed;
}

/** Little-endian base-128. */
function lengthPrefix(length: number): number[] {
  const prefix: number[] = [];
  let rest = length;
  do {
    prefix.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    rest >>>= 7;
  } while (rest > 0);
  return prefix;
}
