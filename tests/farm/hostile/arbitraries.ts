/**
 * Random messages for the hostile hub, and what they mean.
 *
 * @module
 */
import { type Heard, Offence } from "./heard.ts";
import { fc } from "./runs.ts";
import { frameOf, lengthPrefixed, type ProtocolName, type Written } from "../../kit/wire_format.ts";

/** A step of a conversation: a message that can be read, or bytes that cannot. */
export type Step =
  | { readonly message: Written }
  | { readonly unknown: true }
  | { readonly broken: Broken };

/** Bytes that end the connection, and what is said of them. */
interface Broken {
  readonly bytes: Readonly<Record<ProtocolName, Uint8Array>>;
  readonly error: Readonly<Record<ProtocolName, Error>>;
}

/**
 * Whatever JSON has; −0 is 0 there, and `__proto__` no key in MessagePack. Integers beyond 2^53 are left to
 * `readings_test.ts`: they are `bigint` in JSON and floats in MessagePack.
 */
export const value = fc.jsonValue({ maxDepth: 4 })
  .map((value) =>
    JSON.parse(
      JSON.stringify(value),
      (_key, value) => Number.isInteger(value) && !Number.isSafeInteger(value) ? 0.5 : value,
    )
  )
  .filter((value) => !JSON.stringify(value).includes("__proto__"));

const name = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "INSPECT", "Count"));
const streamId = fc.constantFrom("s", "t", "__proto__");
const headers = fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), {
  noNullPrototype: true,
  maxKeys: 3,
}).filter((headers) => !Object.hasOwn(headers, "__proto__"));

/** A message as a record of arbitraries; `invocationId` is filled in later where it is a number. */
const message: fc.Arbitrary<Written> = fc.oneof(
  { weight: 4, arbitrary: call(1, "inspect", fc.tuple(value)) },
  { weight: 2, arbitrary: call(4, "count", fc.tuple(fc.integer({ min: -1, max: 5 }))) },
  { weight: 1, arbitrary: call(1, "count", fc.tuple(value)) },
  { weight: 1, arbitrary: call(4, "inspect", fc.tuple(value)) },
  { weight: 1, arbitrary: call(4, "forever", fc.constant([])) },
  { weight: 1, arbitrary: call(1, "inspect", fc.array(value, { maxLength: 3 })) },
  { weight: 1, arbitrary: name.chain((target) => call(1, `?${target}`, fc.array(value))) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant(1),
      invocationId: fc.constant(""),
      target: fc.constantFrom("collect", "collect", "collect", "inspect", "nobody"),
      arguments: fc.constant([]),
      streamIds: fc.oneof(
        streamId.map((id) => [id]),
        fc.uniqueArray(streamId, { minLength: 2, maxLength: 2 }),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant(2), invocationId: streamId, item: value }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant(3),
      invocationId: streamId,
      error: fc.string({ minLength: 1 }),
    }, { requiredKeys: ["type", "invocationId"] }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant(5),
      headers,
      invocationId: fc.nat(30).map((index) => `forever ${index}`),
    }, { requiredKeys: ["type", "invocationId"] }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 6 }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom(8, 9), sequenceId: fc.maxSafeInteger() }),
  },
);

function call(
  type: 1 | 4,
  target: string,
  args: fc.Arbitrary<unknown[]>,
): fc.Arbitrary<Written> {
  return fc.record(
    {
      type: fc.constant(type),
      headers,
      invocationId: fc.constant(""),
      target: fc.constant(target),
      arguments: args,
    },
    {
      requiredKeys: ["type", "target", "arguments", ...type === 4 ? ["invocationId" as const] : []],
    },
  );
}

const encoder = new TextEncoder();

function broken(json: string, detail: string, packed: number[], packedDetail: string): Broken {
  return {
    bytes: {
      json: encoder.encode(`${json}\x1e`),
      messagepack: lengthPrefixed(new Uint8Array(packed)),
    },
    error: { json: new Offence(detail), messagepack: new Offence(packedDetail) },
  };
}

const breaking = fc.constantFrom(
  broken("{", "Error reading JSON.", [0x91, 0xc0], "Reading 'messageType' as Int32 failed."),
  broken(
    '{"type":5}',
    "Missing required property 'invocationId'.",
    [0x93, 5, 0x80, 0xc0],
    "Null or empty invocation ID for CancelInvocation message.",
  ),
  broken(
    '{"type":1,"target":"x","arguments":[],"headers":{"a":1}}',
    "Expected header 'a' to be of type String.",
    [0x96, 1, 0x81, 0xa1, 0x61, 1, 0xc0, 0xa1, 0x78, 0x90, 0x90],
    "Reading 'headers[0].Value' as String failed.",
  ),
);

/** A conversation: mostly messages that can be read, some of an unknown type, rarely the end. */
export const conversation: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 30, arbitrary: message.map((message): Step => ({ message })) },
    { weight: 2, arbitrary: fc.constant<Step>({ unknown: true }) },
    { weight: 1, arbitrary: breaking.map((broken): Step => ({ broken })) },
  ),
  { maxLength: 30 },
).map((steps) => steps.map(numbered));

/**
 * Every call has an id of its own: what an id means that is in use twice depends on what has ended
 * already. So does a cancel, but for streams that do not end by themselves.
 */
function numbered(step: Step, index: number): Step {
  if (!("message" in step) || step.message.invocationId !== "") return step;
  const endless = step.message.target === "forever";
  const invocationId = endless ? `forever ${index}` : String(index);
  return { message: { ...step.message, invocationId } };
}

/** The bytes of a step. */
export function bytesOfStep(protocol: ProtocolName, step: Step): Uint8Array {
  if ("message" in step) return frameOf(protocol, step.message);
  if ("broken" in step) return step.broken.bytes[protocol];
  return protocol === "json"
    ? encoder.encode('{"type":77,"target":"inspect"}\x1e')
    : lengthPrefixed(new Uint8Array([0x92, 77, 0xc1]));
}

/** A message of a client as a server reads it. */
export function asRead(message: Written): Heard {
  return message as unknown as Heard;
}

/** Ways to cut bytes into pieces: each piece a message of its own, or a fragment of one. */
export const cuts: fc.Arbitrary<readonly Cut[]> = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), final: fc.boolean() }),
  { maxLength: 12 },
).map((cuts) => cuts.sort((a, b) => a.at - b.at));

/** Where to cut, as a part of the whole, and whether the message ends there or only a fragment. */
export interface Cut {
  readonly at: number;
  readonly final: boolean;
}
