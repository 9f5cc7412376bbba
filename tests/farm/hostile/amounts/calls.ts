/**
 * What a client can send over its connection: calls, streams, uploads, and what goes beside them.
 *
 * @module
 */
import { frames, repeated } from "../repeated.ts";
import { call, cancel, end, item, result, streamCall, uploading } from "../../../kit/messages.ts";
import { frame, Opcode } from "../../../kit/socket.ts";
import { type Amount, endless, flooding, many, numbered } from "./amount.ts";
import { packed } from "./attacker.ts";

/** Items of 30 kB: the largest that a hub takes by default, nearly. */
const LARGE = "x".repeat(30_000);

const CALLS: readonly Amount[] = [
  {
    name: "calls",
    act: flooding(() => numbered(200, (number) => call(`${number}`, "echo", number))),
  },
  {
    name: "calls in MessagePack",
    act: flooding(
      () => numbered(200, (number) => call(`${number}`, "echo", number), "messagepack"),
      { protocol: "messagepack" },
    ),
  },
  {
    name: "calls whose answers stay unread",
    act: flooding(() => numbered(2, (number) => call(`${number}`, "echo", LARGE)), {
      reads: false,
    }),
  },
  {
    name: "notifications",
    act: flooding(() => endless(packed(many(400, () => call(undefined, "echo", 1))))),
  },
  {
    name: "notifications behind a call that waits",
    act: flooding(function* () {
      yield packed([call("1", "stay")]);
      yield* endless(packed(many(400, () => call(undefined, "echo", 1))));
    }),
  },
  {
    name: "calls that fail",
    act: flooding(() =>
      numbered(50, (number) => call(`${number}`, ...FAILING[number % FAILING.length] ?? ["x"]))
    ),
  },
  {
    name: "notifications that fail",
    act: flooding(() =>
      numbered(50, (number) => call(undefined, ...FAILING[number % FAILING.length] ?? ["x"]))
    ),
  },
  {
    name: "messages that cannot be read",
    act: flooding(() => endless(frame(Opcode.Text, "{]\x1e"))),
  },
  { name: "empty messages", act: flooding(() => endless(frames(10_000, new Uint8Array()))) },
];

/** Calls that a hub refuses: an unknown method, wrong arguments, names and ids that cannot be. */
const FAILING: readonly (readonly [string, ...unknown[]])[] = [
  ["nothing"],
  ["join"],
  ["join", 1, 2, 3],
  ["join", 5],
  ["join", "x".repeat(300)],
  ["tellOne", "x".repeat(1100), "x"],
  ["tellOne", 5, "x"],
  ["tellUser", "x".repeat(300), "x"],
  ["count", "x"],
  ["unwritable"],
];

const STREAMS: readonly Amount[] = [
  {
    name: "a stream from memory without end",
    way: "bare close",
    act: flooding(() => [packed([streamCall("1", "ones")])]),
  },
  {
    name: "a stream from memory without end that stays unread",
    act: flooding(() => [packed([streamCall("1", "ones")])], { reads: false }),
  },
  {
    name: "ten streams of 5 million rows",
    way: "bare close",
    act: flooding(() => [packed(many(10, (index) => streamCall(`${index}`, "rows", 5_000_000)))]),
  },
  {
    name: "streams of 5 million rows without number",
    way: "bare close",
    act: flooding(() => numbered(20, (number) => streamCall(`${number}`, "rows", 5_000_000))),
  },
  {
    name: "streams that are cancelled at once",
    act: flooding(() =>
      numbered(
        200,
        (number) => number % 2 === 0 ? streamCall(`${number}`, "forever") : cancel(`${number - 1}`),
      )
    ),
  },
  {
    name: "cancels of nothing",
    act: flooding(() => numbered(400, (number) => cancel(`${number}`))),
  },
];

const UPLOADS: readonly Amount[] = [
  {
    name: "an upload",
    act: flooding(function* () {
      yield packed([uploading("1", "drain", ["s"])]);
      yield* endless(packed(many(200, () => item("s", 1))));
    }),
  },
  {
    name: "an upload that nobody reads",
    act: flooding(function* () {
      yield packed([uploading("1", "hold", ["s"])]);
      yield* endless(packed([item("s", LARGE)]));
    }),
  },
  {
    name: "ten large items in each of many uploads that nobody reads",
    act: flooding(function* () {
      for (let number = 0;; number++) {
        yield packed([uploading(`${number}`, "hold", [`s${number}`])]);
        yield repeated(packed([item(`s${number}`, LARGE)]), 10 * 31_000);
      }
    }),
  },
  {
    name: "uploads that end at once",
    act: flooding(() =>
      numbered(
        200,
        (number) =>
          number % 2 === 0
            ? uploading(`${number}`, "drain", [`s${number}`])
            : end(`s${number - 1}`),
      )
    ),
  },
  {
    name: "items of uploads that do not exist",
    act: flooding(() => endless(packed(many(200, (index) => item(`s${index}`, 1))))),
  },
];

const BESIDE: readonly Amount[] = [
  { name: "pings", act: flooding(() => endless(packed(many(1000, () => ({ type: 6 }))))) },
  {
    name: "pings of WebSockets",
    act: flooding(() => endless(repeated(frame(Opcode.Ping, "x"), 60_000))),
  },
  {
    name: "pings of WebSockets whose pongs stay unread",
    act: flooding(() => endless(repeated(frame(Opcode.Ping, "x".repeat(125)), 60_000)), {
      reads: false,
    }),
  },
  {
    name: "acks",
    act: flooding(
      () => endless(packed(many(500, () => ({ type: 8, sequenceId: 0 })))),
      { stateful: true },
    ),
  },
  {
    name: "sequences",
    act: flooding(
      () => endless(packed(many(500, () => ({ type: 9, sequenceId: 1 })))),
      { stateful: true },
    ),
  },
  {
    name: "calls whose answers are never acknowledged",
    act: flooding(
      () => numbered(100, (number) => call(`${number}`, "echo", "x".repeat(200))),
      { stateful: true },
    ),
  },
  {
    name: "answers that nobody has asked for",
    act: flooding(() => numbered(400, (number) => result(`${number}`, 1))),
  },
];

/** What a client can send over its connection. */
export const CALL_AMOUNTS: readonly Amount[] = [...CALLS, ...STREAMS, ...UPLOADS, ...BESIDE];
