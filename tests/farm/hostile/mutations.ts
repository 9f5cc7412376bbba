import type { Case } from "./cases.ts";
import type { Kind } from "./kinds.ts";
import { encode } from "@msgpack/msgpack";
import {
  frameOf,
  itemsOf,
  joined,
  lengthPrefixed,
  type ProtocolName,
} from "../../kit/wire_format.ts";

const RECORD_END = new Uint8Array([0x1e]);

/** Every way to cut a message off. */
export function* truncations(protocol: ProtocolName, kind: Kind): Generator<Case> {
  const frame = frameOf(protocol, kind.message);
  const prefix = protocol === "json" ? 0 : frame.length < 128 ? 1 : 2;
  for (let length = 0; length < frame.length; length++) {
    const name = `${kind.name} cut after ${length}`;
    yield { name, kind, bytes: frame.slice(0, length) };
    // And cut, but framed as if nothing were missing.
    if (protocol === "json") {
      yield { name: `${name}, ended`, kind, bytes: joined(frame.slice(0, length), RECORD_END) };
    } else if (length >= prefix) {
      yield { name: `${name}, ended`, kind, bytes: lengthPrefixed(frame.slice(prefix, length)) };
    }
  }
}

/** Bytes that mean something, in JSON or in MessagePack. */
const MEANINGFUL: ReadonlySet<number> = new Set([
  ...[0x00, 0x1e, 0x22, 0x2c, 0x30, 0x5c, 0x7b, 0x7d, 0x7f],
  ...[0x80, 0x90, 0xc0, 0xc1, 0xc3, 0xcf, 0xd9, 0xdb, 0xdd, 0xff],
]);

/** Whether `byte` is one that tells most: one bit of the original is turned, or it means something. */
export function isTelling(original: number, byte: number): boolean {
  const turned = original ^ byte;
  return (turned & (turned - 1)) === 0 || MEANINGFUL.has(byte);
}

/** Every byte becomes every other, or those that are wanted. */
export function* corruptions(
  protocol: ProtocolName,
  kind: Kind,
  wanted: (original: number, byte: number) => boolean = () => true,
): Generator<Case> {
  const frame = frameOf(protocol, kind.message);
  for (let at = 0; at < frame.length; at++) {
    const original = frame[at] ?? 0;
    for (let byte = 0; byte < 256; byte++) {
      if (byte === original || !wanted(original, byte)) continue;
      const bytes = frame.slice();
      bytes[at] = byte;
      yield { name: `${kind.name}, byte ${at} is ${byte}`, kind, bytes };
    }
  }
}

/** A value of every kind, and a few more. */
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 31, "", "x"],
  ...[[], [null], [""], [1], {}, { x: 1 }, { x: "" }, { "": "x" }],
];
/** What messages may have, whether this one has it or not. */
const MEMBERS: readonly string[] = [
  ...["type", "headers", "invocationId", "target", "arguments", "streamIds"],
  ...["item", "result", "error", "allowReconnect", "sequenceId"],
];

/** Every member is missing, or is a value of every kind; also those that the message does not have. */
export function* replacements(protocol: ProtocolName, kind: Kind): Generator<Case> {
  if (protocol === "json") {
    for (const member of MEMBERS) {
      for (const value of [undefined, ...VALUES]) {
        const bytes = frameOf("json", { ...kind.message, [member]: value });
        yield { name: `${kind.name}, ${member} is ${JSON.stringify(value)}`, kind, bytes };
      }
    }
    return;
  }
  const items = itemsOf(kind.message);
  for (let at = 0; at <= items.length; at++) {
    const cut = lengthPrefixed(encode(items.slice(0, at)));
    yield { name: `${kind.name} of ${at} items`, kind, bytes: cut };
    for (const value of VALUES) {
      const bytes = lengthPrefixed(encode([...items.slice(0, at), value, ...items.slice(at + 1)]));
      yield { name: `${kind.name}, item ${at} is ${JSON.stringify(value)}`, kind, bytes };
    }
  }
}
