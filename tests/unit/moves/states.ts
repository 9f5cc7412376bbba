import fc from "fast-check";
import type { HeardNumbers } from "../../../hub/bus/heard_numbers.ts";
import type { ConnectionState } from "../../../hub/moves/connection_state.ts";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import type { TextOrBytes } from "../../../hub/protocol/frame.ts";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";

const text = fc.string({ unit: "grapheme" });
const name = fc.string({ unit: "grapheme", minLength: 1 });
const count = fc.oneof(fc.nat(), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 40 });

/** A value without members. */
const simple = fc.oneof(
  text,
  bytes,
  fc.boolean(),
  fc.constantFrom(null, undefined, Infinity, -Infinity, NaN),
  fc.integer(),
  fc.maxSafeInteger(),
  // Zero and minus zero are equal.
  fc.double().map((value) => value === 0 ? 0 : value),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.date({ noInvalidDate: true }),
);

const key = fc.oneof(text, fc.integer(), fc.boolean(), fc.constantFrom(null, undefined, 7n));

const { value: nested } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    simple,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text.filter((key) => key !== "__proto__"), tie("value"), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map((pairs) => new Map(pairs)),
  ),
}));

/** Items that move. */
export const movableItems: fc.Arbitrary<Map<unknown, unknown>> = fc
  .array(fc.tuple(key, nested), { maxLength: 4 })
  .map((pairs) => new Map(pairs));

const nodes = fc.uniqueArray(fc.tuple(name, count), {
  maxLength: 5,
  selector: ([node]) => node,
});

const heard: fc.Arbitrary<HeardNumbers> = nodes.chain((nodes) =>
  fc.record({
    nodes: fc.constant(nodes),
    channels: fc.array(
      fc.record({
        channel: name,
        last: fc
          .subarray(nodes)
          .chain((some) => fc.tuple(...some.map(([node]) => fc.tuple(fc.constant(node), count)))),
      }),
      { maxLength: 5 },
    ),
  })
);

/** Values of connections. */
export const connectionStates: fc.Arbitrary<ConnectionState> = fc
  .constantFrom(jsonProtocol, messagepackProtocol)
  .chain((protocol) =>
    fc.record({
      hub: name,
      id: name,
      userId: fc.option(text, { nil: undefined }),
      expires: fc.option(count, { nil: undefined }),
      protocol: fc.constant(protocol),
      groups: fc.array(name, { maxLength: 5 }),
      heard,
      sequence: fc.record({
        acknowledged: count,
        received: count,
        unacknowledged: fc.array<TextOrBytes>(protocol.format === "text" ? text : bytes, {
          maxLength: 5,
        }),
      }),
      items: movableItems,
    })
  );
