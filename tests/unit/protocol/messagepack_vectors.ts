import type { HubMessage } from "../../../hub/protocol/messages.ts";

/** The invocation id of most vectors. */
export const xyz = { invocationId: "xyz" };
const method = { target: "method" };

/** `specs/signalr-wire.md §8.6`: what upstream writes, and what it means. */
export const VECTORS: readonly (readonly [body: string, message: HubMessage])[] = [
  ["960180a378797aa66d6574686f649090", {
    type: 1,
    ...xyz,
    ...method,
    arguments: [],
    streamIds: [],
  }],
  ["960180c0a66d6574686f64912a90", { type: 1, ...method, arguments: [42], streamIds: [] }],
  [
    "960180c0a66d6574686f64922aa6737472696e6790",
    { type: 1, ...method, arguments: [42, "string"], streamIds: [] },
  ],
  [
    "960180c0a65461726765749092ab5f5f746573745f69645f5fac5f5f746573745f6964325f5f",
    { type: 1, target: "Target", arguments: [], streamIds: ["__test_id__", "__test_id2__"] },
  ],
  [
    "96 01 82 a1 78 a1 79 a1 7a a1 7a a3 78797a a6 6d6574686f64 91 2a 90",
    { type: 1, headers: { x: "y", z: "z" }, ...xyz, ...method, arguments: [42], streamIds: [] },
  ],
  ["94 02 80 a3 78797a 2a", { type: 2, ...xyz, item: 42 }],
  ["94 02 80 a3 78797a a6 737472696e67", { type: 2, ...xyz, item: "string" }],
  ["94 02 80 a3 78797a c3", { type: 2, ...xyz, item: true }],
  ["94 02 80 a3 78797a c0", { type: 2, ...xyz, item: null }],
  [
    "95 03 80 a3 78797a 01 b0 4572726f72206e6f7420666f756e6421",
    { type: 3, ...xyz, error: "Error not found!" },
  ],
  ["94 03 80 a3 78797a 02", { type: 3, ...xyz }],
  ["95 03 80 a3 78797a 03 2a", { type: 3, ...xyz, result: 42 }],
  ["95 03 80 a3 78797a 03 c0", { type: 3, ...xyz, result: null }],
  ["95 03 80 a3 78797a 03 a3 4f6e65", { type: 3, ...xyz, result: "One" }],
  [
    "950380a378797a0386aa537472696e6750726f70a85369676e616c5221aa446f75626c6550726f70cb401921fb5442cf12" +
    "a7496e7450726f702aac4461746554696d6550726f70d6ff58ec1c80a84e756c6c50726f70c0ab4279746541727250726f" +
    "70c403010203",
    {
      type: 3,
      ...xyz,
      result: {
        StringProp: "SignalR!",
        DoubleProp: 6.2831853071,
        IntProp: 42,
        DateTimeProp: new Date("2017-04-11T00:00:00Z"),
        NullProp: null,
        ByteArrProp: new Uint8Array([1, 2, 3]),
      },
    },
  ],
  ["960480a378797aa66d6574686f649090", {
    type: 4,
    ...xyz,
    ...method,
    arguments: [],
    streamIds: [],
  }],
  ["93 05 80 a3 78797a", { type: 5, ...xyz }],
  ["91 06", { type: 6 }],
  ["93 07 c0 c2", { type: 7 }],
  ["93 07 a6 4572726f7221 c2", { type: 7, error: "Error!" }],
  ["93 07 c0 c3", { type: 7, allowReconnect: true }],
  ["93 07 a6 4572726f7221 c3", { type: 7, error: "Error!", allowReconnect: true }],
  ["92 08 2a", { type: 8, sequenceId: 42 }],
  ["92 08 cc 24", { type: 8, sequenceId: 36 }],
  ["92 09 cc 92", { type: 9, sequenceId: 146 }],
  ["92 09 cc 13", { type: 9, sequenceId: 19 }],
];
