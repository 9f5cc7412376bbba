import { encode } from "@msgpack/msgpack";
import { assertEquals } from "@std/assert";
import {
  asRead,
  bytesOfStep,
  conversation,
  type Cut,
  cuts,
  type Step,
  value,
} from "./arbitraries.ts";
import { CaseRunner } from "./cases.ts";
import { figure } from "./figures.ts";
import { HubPeer } from "../../kit/hub_peer.ts";
import type { Kind } from "./kinds.ts";
import { type MeasuredNode, onEachNode } from "./measured_node.ts";
import { frame, Opcode } from "../../kit/socket.ts";
import { ReferenceHub } from "./reference_hub.ts";
import { bounded, fc } from "./runs.ts";
import {
  type Answer,
  frameOf,
  joined,
  lengthPrefixed,
  PROTOCOL_NAMES,
  type ProtocolName,
} from "../../kit/wire_format.ts";
import { Witness } from "./witness.ts";

/** After so many runs the witness must have been served. */
const RUNS_PER_BATCH = 20;
const DETAILED = { detailedErrors: true };
const ALONE: Kind = { name: "random", message: { type: 6 } };
const encoder = new TextEncoder();

/** Random bytes, and random values where a message should be. */
const RANDOM: Readonly<Record<string, (protocol: ProtocolName) => fc.Arbitrary<Uint8Array>>> = {
  bytes: () => fc.uint8Array({ maxLength: 60 }),
  "JSON": () => value.map((value) => encoder.encode(`${JSON.stringify(value)}\x1e`)),
  "MessagePack": () => packable.map((value) => lengthPrefixed(encode(value))),
  "messages with random members": (protocol) =>
    members.map((message) => {
      if (protocol === "json") return encoder.encode(`${JSON.stringify(message)}\x1e`);
      const { type, invocationId, target, headers, error } = message;
      return lengthPrefixed(
        encode([type, headers, invocationId, target, message.arguments, error]),
      );
    }),
};

const packable = fc.oneof(
  value,
  fc.array(value),
  fc.array(fc.oneof(value, fc.uint8Array(), fc.date())),
);
/** What belongs there, and now and then anything. */
function mostly(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 15, arbitrary }, { weight: 1, arbitrary: value });
}

const id = mostly(fc.constantFrom("s", "1", ""));
const members = fc.record({
  type: mostly(fc.integer({ min: -1, max: 11 })),
  invocationId: id,
  target: mostly(fc.constantFrom("inspect", "count", "collect")),
  arguments: mostly(fc.array(value, { maxLength: 2 })),
  headers: mostly(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }))),
  streamIds: mostly(fc.array(id, { maxLength: 2 })),
  item: value,
  result: value,
  error: mostly(fc.string()),
  sequenceId: mostly(fc.integer()),
  allowReconnect: mostly(fc.boolean()),
}, { requiredKeys: ["type", "target", "arguments"] });

for (const [name, arbitraryOf] of Object.entries(RANDOM)) {
  onEachNode(`random ${name} have the outcome of the model`, async (node) => {
    await using witness = await Witness.start(node);
    for (const protocol of PROTOCOL_NAMES) {
      await using runner = new CaseRunner(node.port, protocol);
      const property = fc.asyncProperty(arbitraryOf(protocol), async (bytes) => {
        await runner.run({ name, kind: ALONE, bytes });
        if (runner.tally.cases % RUNS_PER_BATCH === 0) await witness.served();
      });
      await fc.assert(property, bounded(120));
      figure(`random ${name}, ${protocol}: ${JSON.stringify(runner.tally)}`);
    }
    await witness.alone();
  }, DETAILED).forEach((test) => Deno.test(test));
}

/** The WebSocket frames of bytes that are cut somewhere. */
function frames(bytes: Uint8Array, cuts: readonly Cut[]): Uint8Array {
  const written: Uint8Array[] = [];
  let start = 0;
  let begun = false;
  for (const { at, final } of [...cuts, { at: 1, final: true }]) {
    const end = Math.round(at * bytes.length);
    const opcode = begun ? Opcode.Continuation : Opcode.Binary;
    written.push(frame(opcode, bytes.subarray(start, end), final));
    begun = !final;
    start = end;
  }
  return joined(...written);
}

/** What a hub must answer to a conversation. */
function modelled(protocol: ProtocolName, steps: readonly Step[]): ReferenceHub {
  const hub = new ReferenceHub();
  for (const step of steps) {
    if (hub.closed !== undefined) break;
    if ("message" in step) hub.receive(asRead(step.message));
    else if ("broken" in step) hub.breaks(step.broken.error[protocol]);
  }
  return hub;
}

/** Sends a conversation on a connection of its own; all that comes must be what the model says. */
async function converse(
  { port, server }: MeasuredNode,
  protocol: ProtocolName,
  steps: readonly Step[],
  cuts: readonly Cut[],
): Promise<void> {
  const { answers, closed } = modelled(protocol, steps);
  using peer = await HubPeer.open(port, protocol);
  const bytes = joined(...steps.map((step) => bytesOfStep(protocol, step)));
  await peer.socket.write(frames(bytes, cuts));
  const received = new Map<string, Answer[]>();
  const more = async () => {
    const answer = await peer.next();
    if (answer === undefined) return false;
    const id = answer.invocationId ?? "";
    received.set(id, [...received.get(id) ?? [], answer]);
    return true;
  };
  if (closed !== undefined) {
    while (await more());
    // Deno's server forgets its close frame when it receives another message behind its Close.
    const code = server === "fetch" ? peer.end?.code : 1000;
    assertEquals(peer.end, { close: closed, code });
    // What was under way may be answered or not.
    for (const [id, sent] of received) assertEquals(answers.get(id)?.slice(0, sent.length), sent);
    return;
  }
  const count = answers.values().reduce((sum, { length }) => sum + length, 0);
  for (let left = count; left > 0 && await more(); left--);
  assertEquals(received, answers);
  // And nothing else.
  await peer.send(
    frameOf(protocol, { type: 1, invocationId: "end", target: "open", arguments: [] }),
  );
  assertEquals((await peer.next())?.invocationId, "end");
  await peer.leave();
}

onEachNode(
  "random conversations are answered as the model says, however their bytes are cut",
  async (node) => {
    await using witness = await Witness.start(node);
    for (const protocol of PROTOCOL_NAMES) {
      let conversations = 0;
      const property = fc.asyncProperty(conversation, cuts, async (steps, cuts) => {
        conversations++;
        await converse(node, protocol, steps, cuts);
        if (conversations % RUNS_PER_BATCH === 0) await witness.served();
      });
      await fc.assert(property, bounded(150));
      figure(`${conversations} random conversations in ${protocol}`);
    }
    await witness.alone();
  },
  DETAILED,
).forEach((test) => Deno.test(test));
