/**
 * Messages between nodes, and the MessagePack values that they are on the bus: written down by hand, and
 * turned into bytes by the codec that the tests use.
 *
 * @module
 */
import type { FarmKey, HubSign, NodeMessage, Sign } from "../../../hub/bus/node_messages.ts";

/** A message, and the items of its payload. */
export type NodeVector = readonly [message: NodeMessage, items: readonly unknown[]];

const HUBS: readonly HubSign[] = [
  { hub: "chat", number: 70_000, told: 69_999, tails: [["chat:group:é", 69_998], ["chat:all", 5]] },
  { hub: "My.Hub+Inner", number: 0, told: 0, tails: [] },
];
const PACKED_HUBS = [
  ["chat", 70_000, 69_999, ["chat:group:é", 69_998, "chat:all", 5]],
  ["My.Hub+Inner", 0, 0, []],
];

const SECRETS = [1, 2].map((first) => Uint8Array.from({ length: 32 }, (_, at) => first + at));
const KEYS: readonly FarmKey[] = SECRETS.map((secret, index) => (
  { created: 1_790_000_000_000 + index, tag: 65_535 - index, secret }
));
const PACKED_KEYS = KEYS.flatMap(({ created, tag, secret }) => [created, tag, secret]);

function sign(kind: Sign["kind"], activity: Sign["activity"]): Sign {
  const times = { interval: 1000, started: 1_790_000_000_000, date: 1_790_000_001_234 };
  const about = { kind, id: 300, node: "deno_1", activity, ...times, connections: 20_000 };
  return { ...about, hubs: HUBS, keys: KEYS };
}

function packedSign(kind: number, activity: number): unknown[] {
  const times = [1000, 1_790_000_000_000, 1_790_000_001_234];
  return [1, kind, 300, "deno_1", activity, ...times, 20_000, PACKED_HUBS, PACKED_KEYS];
}

const ABOUT = { id: 7, node: "deno_1", hub: "chat" };
const BYTES = Uint8Array.of(0x95, 0xff, 0x00);

const RELAYED = { id: 9, node: "deno_2" };

/** The messages about requests for connections of other nodes. */
const RELAY_VECTORS: readonly NodeVector[] = [
  [{ kind: "seek", ...RELAYED, connectionId: "c1" }, [1, 12, 9, "deno_2", "c1"]],
  [{ kind: "sought", ...RELAYED, home: "deno_3" }, [1, 13, 9, "deno_2", "deno_3"]],
  [{ kind: "sought", ...RELAYED, home: undefined }, [1, 13, 9, "deno_2", ""]],
  [
    {
      ...{ kind: "relayed", ...RELAYED, connectionId: "c1", verb: "poll", watched: true },
      ...{ userId: undefined, expires: undefined, length: undefined, last: true },
      bytes: new Uint8Array(),
    },
    [1, 14, 9, "deno_2", "c1", 0, true, null, null, null, true, new Uint8Array()],
  ],
  [
    {
      ...{ kind: "relayed", ...RELAYED, connectionId: "c1", verb: "events", watched: false },
      ...{ userId: "Ann", expires: 1_790_000_000_000, length: 70_000, last: false, bytes: BYTES },
    },
    [1, 14, 9, "deno_2", "c1", 3, false, "Ann", 1_790_000_000_000, 70_000, false, BYTES],
  ],
  [
    { kind: "relayedBody", ...RELAYED, number: 300, last: true, bytes: BYTES },
    [1, 15, 9, "deno_2", 300, true, BYTES],
  ],
  [
    {
      ...{ kind: "relayedAnswer", ...RELAYED, number: 0, last: false, bytes: BYTES },
      head: { status: 200, type: "application/octet-stream", length: undefined },
    },
    [1, 16, 9, "deno_2", 0, false, BYTES, 200, "application/octet-stream", null],
  ],
  [
    {
      ...{ kind: "relayedAnswer", ...RELAYED, number: 0, last: true, bytes: BYTES },
      head: { status: 404, type: "", length: 3 },
    },
    [1, 16, 9, "deno_2", 0, true, BYTES, 404, "", 3],
  ],
  [
    { kind: "relayedAnswer", ...RELAYED, number: 1, last: true, bytes: BYTES, head: undefined },
    [1, 16, 9, "deno_2", 1, true, BYTES, 0, "", null],
  ],
  [
    { kind: "relayReceipt", ...RELAYED, toHome: true, received: 2, allowed: 4 },
    [1, 17, 9, "deno_2", true, 2, 4],
  ],
  [{ kind: "stand", ...RELAYED, connectionId: "c1" }, [1, 19, 9, "deno_2", "c1"]],
  [{ kind: "relayEnd", ...RELAYED, toHome: false }, [1, 18, 9, "deno_2", false]],
];

/** One message of each kind, and more where a field may be missing. */
export const NODE_VECTORS: readonly NodeVector[] = [
  ...RELAY_VECTORS,
  [sign("hello", "starting"), packedSign(1, 0)],
  [sign("sign", "up"), packedSign(2, 1)],
  [sign("bye", "draining"), packedSign(3, 2)],
  [{ kind: "knock", ...ABOUT }, [1, 4, 7, "deno_1", "chat"]],
  [{ kind: "here", ...ABOUT }, [1, 5, 7, "deno_1", "chat"]],
  [
    { kind: "askIndex", ...ABOUT, after: 256, age: undefined },
    [1, 6, 7, "deno_1", "chat", 256, null],
  ],
  [{ kind: "askIndex", ...ABOUT, after: 0, age: 5000 }, [1, 6, 7, "deno_1", "chat", 0, 5000]],
  [
    {
      ...{ kind: "index", ...ABOUT, after: 3, upTo: 9, number: 2 ** 40, from: 4, age: 12 },
      channels: [["chat:all", 9], ["chat:user:Ann", 4]],
    },
    [1, 7, 7, "deno_1", "chat", 3, 9, 2 ** 40, 4, 12, ["chat:all", 9, "chat:user:Ann", 4]],
  ],
  [
    { kind: "askMessages", ...ABOUT, channel: "chat:all", after: 3, age: undefined },
    [1, 8, 7, "deno_1", "chat", "chat:all", 3, null],
  ],
  [
    {
      ...{ kind: "messages", ...ABOUT, channel: "chat:all", after: 3, upTo: 9, number: 12 },
      missing: 2,
      messages: [
        { number: 7, back: 1, age: 30, payload: BYTES },
        { number: 8, back: 1, age: 10, payload: null },
        { number: 9, back: -70_000, age: 0, payload: undefined },
      ],
    },
    [
      ...[1, 9, 7, "deno_1", "chat", "chat:all", 3, 9, 12, 2],
      [7, 1, 30, BYTES, 8, 1, 10, null, 9, -70_000, 0, new Uint8Array()],
    ],
  ],
  [
    { kind: "claim", id: 7, node: "deno_1", connectionId: "c1", issued: 1_790_000_000_000 },
    [1, 10, 7, "deno_1", "c1", 1_790_000_000_000],
  ],
  [{ kind: "claimed", id: 7, node: "deno_1", home: "deno_2" }, [1, 11, 7, "deno_1", "deno_2"]],
  [{ kind: "claimed", id: 7, node: "deno_1", home: undefined }, [1, 11, 7, "deno_1", ""]],
  [
    { kind: "askMove", ...ABOUT, connectionId: "c1", userId: "ann" },
    [1, 20, 7, "deno_1", "chat", "c1", "ann"],
  ],
  [
    { kind: "askMove", ...ABOUT, connectionId: "c1", userId: undefined },
    [1, 20, 7, "deno_1", "chat", "c1", null],
  ],
  [
    {
      ...{ kind: "moveState", ...ABOUT, connectionId: "c1", parked: true },
      ...{ part: 1, parts: 2, bytes: BYTES },
    },
    [1, 21, 7, "deno_1", "chat", "c1", true, 1, 2, BYTES],
  ],
  [{ kind: "moveReceipt", ...ABOUT, parked: true }, [1, 22, 7, "deno_1", "chat", true]],
  [{ kind: "moveRefusal", ...ABOUT }, [1, 23, 7, "deno_1", "chat"]],
];
