import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as v from "valibot";
import { z } from "zod";
import { defineHub, type HubContext } from "../../../mod.ts";
import { method, type StandardSchema } from "../../../hub/definition/method.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { PROTOCOLS, SignalRClient } from "../../kit/signalr_client.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { call, failure, result } from "../../kit/messages.ts";
import { refused, schema, text } from "./schemas.ts";

type Context = HubContext<Record<never, never>>;

Deno.test("method() gives its handler what the schemas of Zod, Valibot and others make of arguments", async () => {
  const got = new Events<unknown[]>();
  const hub = defineHub({
    methods: {
      take: method({
        args: [
          z.object({ name: z.string().trim(), age: z.number().default(1) }),
          v.pipe(v.string(), v.transform(Number)),
          text,
        ],
        handler(_context: Context, person, number, word) {
          got.add([person.name, person.age, number, word]);
          return number + 1;
        },
      }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "take", { name: " ann ", role: "admin" }, "41", "x"));
  assertEquals(await pipe.next(), result("1", 42));
  assertEquals(got.all, [["ann", 1, 41, "x"]]);
});

onEachServer("method() tells the client which argument is wrong, where and why", async (serve) => {
  const hub = defineHub({
    methods: {
      Take: method({
        args: [
          z.object({
            names: z.array(z.string("a name is text")),
            "a b": z.string("too").optional(),
          }),
          v.object({ deep: v.object({ id: v.number("an id is a number") }) }),
          text,
        ],
        handler: (_context: Context) => "taken",
      }),
    },
  });
  await using node = await serve({ hubs: { "/hub": hub } });
  const good = [{ names: ["ann"] }, { deep: { id: 1 } }, "x"];
  const wrong: readonly (readonly [index: number, value: unknown, why: string])[] = [
    [0, { names: ["ann", 1] }, "arguments[0].names[1]: a name is text"],
    [0, { names: [], "a b": 1 }, 'arguments[0]["a b"]: too'],
    [
      0,
      { names: [1, 2], "a b": 3 },
      'arguments[0].names[0]: a name is text; arguments[0].names[1]: a name is text; arguments[0]["a b"]: too',
    ],
    [1, { deep: { id: "1" } }, "arguments[1].deep.id: an id is a number"],
    [2, null, "arguments[2]: not a text"],
  ];
  for (const protocol of PROTOCOLS) {
    await using client = await SignalRClient.connect(node.url("/hub"), { protocol });
    assertEquals(await client.invoke("take", ...good), "taken");
    for (const [index, value, why] of wrong) {
      const args = good.with(index, value as string);
      const { message } = await assertRejects(() => client.invoke("take", ...args), Error);
      assertEquals(message, refused("take", why));
    }
    assertEquals(await client.invoke("take", ...good), "taken");
  }
  assertEquals(node.log.lines.length, 1);
  assertMatch(node.log.lines[0] ?? "", /^info A call of connection .* is refused: .*names\[1\]/);
}).forEach((test) => Deno.test(test));

Deno.test("method() stops at the first argument that is wrong, and does not begin the call", async () => {
  const seen: string[] = [];
  const noting = (name: string, good: boolean) =>
    schema((value) => {
      seen.push(name);
      return good ? { value } : { issues: [{ message: "no" }] };
    });
  const hub = defineHub({
    methods: {
      take: method({
        args: [noting("a", true), noting("b", false), noting("c", true)],
        authorize: (_context: Context) => seen.push("authorize") > 0,
        handler: (_context: Context) => seen.push("handler"),
      }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "take", 1, 2, 3));
  assertEquals(await pipe.next(), failure("1", refused("take", "arguments[1]: no")));
  assertEquals(seen, ["a", "b"]);
});

Deno.test("method() bounds what a client reads, however much a schema or the client has to say", async () => {
  const issues = Array.from({ length: 1000 }, (_, index) => ({
    message: `${index}${"m".repeat(1000)}`,
    path: Array.from({ length: 20 }, () => ({ key: "k".repeat(1000) })),
  }));
  const hub = defineHub({
    methods: {
      take: method({ args: [schema(() => ({ issues }))], handler: (_context: Context) => 1 }),
      odd: method({
        args: [
          schema(() => ({
            issues: [
              { message: undefined as unknown as string, path: [Symbol("s"), 0, "a'b\u2028"] },
              { message: "😀".repeat(150) },
            ],
          })),
        ],
        handler: (_context: Context) => 1,
      }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "take", 1), call("2", "odd", 1));
  const { error } = await pipe.next() as { error: string };
  assert(error.length < 2000, `${error.length}`);
  assertMatch(error, / Cannot take arguments\[0\](\["k{39}…"\]){8}…: 0m{198}…; .*; and 997 more$/);
  const odd = await pipe.next() as { error: string };
  assertMatch(
    odd.error,
    /Cannot take arguments\[0\]\[Symbol\(s\)\]\[0\]\["a'b\u2028"\]: undefined; /,
  );
  assert(odd.error.isWellFormed());
});

Deno.test("method() waits for schemas that take their time, and calls start in the order they came", async () => {
  const started: unknown[] = [];
  const verdict = Promise.withResolvers<void>();
  const slow: StandardSchema<string> = {
    "~standard": {
      version: 1,
      vendor: "by hand",
      async validate(value) {
        await verdict.promise;
        return value === "bad" ? { issues: [{ message: "bad" }] } : { value: `${value}!` };
      },
    },
  };
  const hub = defineHub({
    methods: {
      slow: method({
        args: [slow, text, z.string().refine((value) => Promise.resolve(value !== "x"), "no x")],
        handler: (_context: Context, ...args) => started.push(args),
      }),
      fast: (_context: Context, value: string) => started.push(value),
    },
  });
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 9 });
  const { pipe } = await core.connect();
  pipe.send(call("1", "slow", "a", "b", "c"), call("2", "fast", "d"));
  pipe.send(call("3", "slow", "bad", "b", "c"), call("4", "slow", "a", "b", "x"));
  await settle();
  assertEquals(started, []);
  verdict.resolve();
  assertEquals([await pipe.next(), await pipe.next(), await pipe.next(), await pipe.next()], [
    result("1", 1),
    result("2", 2),
    failure("3", refused("slow", "arguments[0]: bad")),
    failure("4", refused("slow", "arguments[2]: no x")),
  ]);
  assertEquals(started, [["a!", "b", "c"], "d"]);
});

Deno.test("method() logs a schema that throws or rejects, and the client reads no more than that", async () => {
  const broken = (later: boolean) =>
    schema<string>(() => {
      throw new Error("secret");
    }, later);
  const hub = defineHub({
    methods: {
      now: method({ args: [broken(false)], handler: (_context: Context) => 1 }),
      later: method({ args: [broken(true)], handler: (_context: Context) => 1 }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "now", 1), call("2", "later", 1));
  assertEquals([await pipe.next(), await pipe.next()], [
    failure("1", refused("now")),
    failure("2", refused("later")),
  ]);
  assertEquals(core.log.lines, [
    'error A schema of hub method "now" failed: Error: secret',
    'error A schema of hub method "later" failed: Error: secret',
  ]);
});

Deno.test("method() takes exactly as many arguments and streams as it has schemas", async () => {
  const hub = defineHub({
    methods: {
      two: method({
        args: [text, text],
        // A rest parameter or defaults would count otherwise without schemas.
        handler: (_context: Context, ...texts) => texts.length,
      }),
      streams: method({
        args: [text],
        streams: 2,
        handler: (_context: Context, word, first, second) => [word, first, second].length,
      }),
    },
  });
  await using core = new HubCore(hub, { detailedErrors: true });
  const { pipe } = await core.connect();
  const count = (target: string, sent: number, expected: number) =>
    `Failed to invoke '${target}' due to an error on the server. InvalidDataException: ` +
    `Invocation provides ${sent} argument(s) but target expects ${expected}.`;
  const streams = (sent: number) =>
    "An unexpected error occurred invoking 'streams' on the server. HubException: " +
    `Client sent ${sent} stream(s), Hub method expects 2.`;
  const trials: readonly (readonly [message: object, answer: unknown])[] = [
    [call("x", "two", "a", "b"), result("x", 2)],
    [call("x", "two", "a"), failure("x", count("two", 1, 2))],
    [call("x", "two", "a", "b", "c"), failure("x", count("two", 3, 2))],
    [{ ...call("x", "two", "a"), streamIds: ["s"] }, failure("x", count("two", 1, 2))],
    [{ ...call("x", "streams", "a"), streamIds: ["s", "t"] }, result("x", 3)],
    [call("x", "streams", "a"), failure("x", streams(0))],
    [{ ...call("x", "streams", "a"), streamIds: ["s"] }, failure("x", streams(1))],
    [{ ...call("x", "streams", "a"), streamIds: ["s", "t", "u"] }, failure("x", streams(3))],
    [
      { ...call("x", "streams", "a", "b"), streamIds: ["s"] },
      failure("x", count("streams", 2, 1)),
    ],
  ];
  for (const [message, answer] of trials) {
    pipe.send(message);
    assertEquals(await pipe.next(), answer);
  }
});

Deno.test("method() throws TypeError when a part is wrong", () => {
  const handler = (_context: Context) => 1;
  const wrong: readonly (readonly [definition: unknown, text: string])[] = [
    [undefined, "it is not a function, nor an object with a handler"],
    [{}, "it is not a function, nor an object with a handler"],
    [{ handler: 1 }, "handler is not a function"],
    [{ handler, authorize: 1 }, "authorize is not a function"],
    [{ handler, args: z.string() }, "args is not an array of schemas"],
    [{ handler, args: ["string"] }, "args is not an array of schemas"],
    [{ handler, args: [undefined] }, "args is not an array of schemas"],
    [{ handler, args: [{ "~standard": { version: 2, validate() {} } }] }, "args is not an array"],
    [{ handler, streams: 1 }, "streams needs args, which may be []"],
    [{ handler, args: [], streams: -1 }, "streams is neither an array"],
    [{ handler, args: [], streams: 1.5 }, "streams is neither an array"],
    [{ handler, args: [], streams: [1] }, "streams is neither an array"],
  ];
  for (const [definition, text] of wrong) {
    const given = definition as Parameters<typeof method>[0];
    assertThrows(() => method(given), TypeError, `Cannot define method: ${text}`);
  }
  // Schemas of some libraries are functions.
  const callable = Object.assign(() => {}, text);
  assertEquals(method({ args: [callable], handler }).args, [callable]);
});
