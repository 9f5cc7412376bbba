import { frameOf, joined, type ProtocolName, type Written } from "../../kit/wire_format.ts";

/** A kind of message, and what makes it matter: what comes before, and what may still come after. */
export interface Kind {
  readonly name: string;
  readonly message: Written;
  readonly before?: readonly Written[];
  readonly after?: readonly Written[];
  /** Whether its connection counts messages; then no other case shares that. */
  readonly stateful?: boolean;
}

const upload: Written = {
  type: 1,
  invocationId: "up",
  target: "collect",
  arguments: [],
  streamIds: ["s"],
};
const uploaded: Written = { type: 3, invocationId: "s" };
const cancel: Written = { type: 5, invocationId: "f" };
const forever: Written = { type: 4, invocationId: "f", target: "forever", arguments: [] };
const inspect = (invocationId: string, ...values: unknown[]): Written => ({
  type: 1,
  invocationId,
  target: "inspect",
  arguments: values,
});
const headers = { Foo: "Bar", "a\nb": "c" };
/** After these, sequence 1 makes the server take all that follow for old until more have come. */
const counted = ["a", "b", "c"].map((id) => inspect(id, 0));
const recounted: Written[] = [
  { type: 9, sequenceId: 1 },
  ..."defghijklm".split("").map((id) => inspect(id, id)),
];

/** Every kind of message that a client may send; `specs/signalr-wire.md §8.1`. */
export const KINDS: readonly Kind[] = [
  { name: "Invocation", message: inspect("i", { x: [1.5, "é", null] }) },
  { name: "Invocation with headers", message: { ...inspect("i", true), headers } },
  { name: "Invocation without an id", message: { type: 1, target: "inspect", arguments: [-7] } },
  { name: "Invocation with a stream", message: upload, after: [uploaded] },
  {
    name: "StreamInvocation",
    message: { type: 4, invocationId: "c", target: "count", arguments: [3] },
  },
  { name: "StreamItem", message: { type: 2, invocationId: "s", item: { x: 1 } } },
  {
    name: "StreamItem of an upload",
    before: [upload],
    message: { type: 2, headers, invocationId: "s", item: "x" },
    after: [uploaded],
  },
  { name: "Completion", message: { type: 3, invocationId: "z", result: { x: [1] } } },
  { name: "Completion of an upload", before: [upload], message: uploaded, after: [uploaded] },
  {
    name: "Completion of an upload with an error",
    before: [upload],
    message: { ...uploaded, error: "No!" },
    after: [uploaded],
  },
  { name: "CancelInvocation", before: [forever], message: cancel, after: [cancel] },
  { name: "Ping", message: { type: 6 } },
  { name: "Close", message: { type: 7 } },
  { name: "Close with an error", message: { type: 7, error: "Bye", allowReconnect: true } },
  { name: "Ack", message: { type: 8, sequenceId: 300 } },
  { name: "Sequence", message: { type: 9, sequenceId: 70_000 } },
  {
    name: "Ack that is counted",
    stateful: true,
    before: counted,
    message: { type: 8, sequenceId: 3 },
    after: recounted,
  },
  {
    name: "Sequence that is counted",
    stateful: true,
    before: counted,
    message: { type: 9, sequenceId: 4 },
    after: recounted,
  },
];

/** The bytes of messages in a row. */
export function bytesOf(
  protocol: ProtocolName,
  messages: readonly Written[] = [],
): Uint8Array<ArrayBuffer> {
  return joined(...messages.map((message) => frameOf(protocol, message)));
}
