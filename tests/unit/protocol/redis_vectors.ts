/**
 * What ASP.NET Core nodes put on Redis: `specs/signalr-redis.md §10` and a capture of a real farm.
 *
 * @module
 */
import { PackWriter } from "../../../hub/protocol/pack/writer.ts";
import type { InvocationEnvelope } from "../../../hub/bus/invocation.ts";
import farm from "../../vectors/aspnet-redis.json" with { type: "json" };
import { unhex } from "../../kit/hex.ts";

/** A payload and what it is. */
export interface RedisVector {
  readonly name: string;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** The kinds of payload, by the channel they travel on. */
export type PayloadKind = "invocation" | "command" | "ack" | "completion";

function kindOf(channel: string): PayloadKind {
  if (channel.includes(":internal:groups")) return "command";
  if (channel.includes(":internal:ack:")) return "ack";
  return channel.includes(":internal:return:") ? "completion" : "invocation";
}

/** The captured payloads of one kind. */
export function captured(kind: PayloadKind): RedisVector[] {
  return farm.messages.flatMap(({ case: name, channel, payload }) =>
    channel !== undefined && payload !== undefined && kindOf(channel) === kind
      ? [{ name: `${name} (${channel})`, payload: unhex(payload) }]
      : []
  );
}

/** Acknowledgements and their ids. */
export const ACKS: readonly (readonly [id: number, hex: string])[] = [
  [0, "91 00"],
  [42, "91 2a"],
  [180, "91 cc b4"],
  [384, "91 cd 01 80"],
  [70_000, "91 ce 00 01 11 70"],
];

/** Group commands: adds and removes "C" to and from "G". */
export const COMMANDS: readonly (readonly [action: number, hex: string])[] = [
  [1, "95 2a a1 53 01 a1 47 a1 43"],
  [2, "95 2a a1 53 02 a1 47 a1 43"],
];

/** Invocations with the entries p1 and p2, and whom they exclude. */
export const EXCLUSIONS: readonly (readonly [excluded: readonly string[], hex: string])[] = [
  [[], "92 90 82 a2 70 31 c4 01 2a a2 70 32 c4 01 2a"],
  [["a"], "92 91 a1 61 82 a2 70 31 c4 01 2a a2 70 32 c4 01 2a"],
  [
    ["a", "b", "c", "d", "e", "f"],
    "92 96 a1 61 a1 62 a1 63 a1 64 a1 65 a1 66 82 a2 70 31 c4 01 2a a2 70 32 c4 01 2a",
  ],
];

/** Answers of clients, `[protocol, frame]`: `specs/signalr-redis.md §10.1, §10.2`. */
export const COMPLETIONS: readonly string[] = [
  "92 a4 6a736f6e c4 28 7b2274797065223a332c22696e766f636174696f6e4964223a2231222c22726573756c74223a317d",
  "92 ab 6d6573736167657061636b c4 09 95 03 80 a3 78 79 7a 03 2a",
];

/** `send("Hello", "World")` to everyone, as a .NET node publishes it. */
export const HELLO_WORLD =
  "929082a46a736f6ec4327b2274797065223a312c22746172676574223a2248656c6c6f222c22617267756d656e7473223a5b22576f726c64225d7d1eab6d6573736167657061636bc41312960180c0a548656c6c6f91a5576f726c6490";

/** A client-result request: four items. */
export const RESULT_REQUEST =
  "949082a46a736f6ec45a7b2274797065223a312c22696e766f636174696f6e4964223a2241414141414141414141414141414141414141414141222c22746172676574223a22526573756c74222c22617267756d656e7473223a5b2274657374225d7d1eab6d6573736167657061636bc42928960180b641414141414141414141414141414141414141414141a6526573756c7491a47465737490b641414141414141414141414141414141414141414141bc4d792e4875623a696e7465726e616c3a72657475726e3a7372765f30";

/** Adds "c1" to "g", for a node with a real server name. */
export const LONG_COMMAND =
  "9501d9294d795365727665725f303264623630653566616232343362383930613834376661356334646362323901a167a26331";

/** Writes an invocation as a .NET node does: two items, the frames of the named protocols. */
export function writeTwoItems(
  { excluded, frames }: InvocationEnvelope,
  protocols: readonly string[],
): Uint8Array {
  // Small on purpose, so that the writer has to grow.
  const writer = new PackWriter();
  writer.array(2);
  writer.array(excluded.length);
  for (const id of excluded) writer.string(id);
  writer.map(protocols.length);
  for (const protocol of protocols) {
    const frame = frames.frame(protocol);
    if (frame === undefined) throw new Error(`Cannot write invocation: no ${protocol} frame`);
    writer.string(protocol);
    writer.binary(frame.bytes);
  }
  return writer.finish();
}
