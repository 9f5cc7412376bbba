import { assertEquals, assertRejects } from "@std/assert";
import { defineHub, type HubContext, HubError } from "../../../mod.ts";
import { StreamReader } from "../../kit/stream_reader.ts";
import { onEachProtocol } from "./protocols.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const hub = defineHub({
  methods: {
    async *count(_context: Context, to: number) {
      for (let n = 0; n < to; n++) yield await Promise.resolve(n);
    },
    *letters(_context: Context, ...letters: string[]) {
      yield* letters;
    },
    *promised(_context: Context) {
      yield Promise.resolve(1);
      yield 2;
    },
    async *nothing(_context: Context) {},
    readable: (_context: Context, to: number) => ReadableStream.from(Array(to).keys()),
    emptyReadable: (_context: Context) => ReadableStream.from([]),
    list: (_context: Context) => [1, [2], { three: 3 }],
    async later(_context: Context) {
      await Promise.resolve();
      return new Set(["a", "b"]).values();
    },
    async *nulls(_context: Context) {
      yield null;
      yield undefined;
      yield 0;
    },
    *values(_context: Context) {
      yield { date: new Date("2026-01-02T03:04:05.678Z"), bytes: new Uint8Array([1, 255]) };
      yield [9n, "é😀\u2028\x1e"];
    },
    async *refuses(_context: Context) {
      yield 1;
      throw new HubError("No more of these");
    },
    async *breaks(_context: Context) {
      yield 1;
      throw new TypeError("secret");
    },
    // deno-lint-ignore require-yield -- it does not come so far
    *breaksAtOnce(_context: Context) {
      throw new TypeError("secret");
    },
    *rejects(_context: Context) {
      yield 1;
      yield Promise.reject(new HubError("rejected"));
    },
    erroredReadable: (_context: Context) =>
      new ReadableStream({ start: (controller) => controller.error(new HubError("errored")) }),
    lockedReadable(_context: Context) {
      const stream = ReadableStream.from([1]);
      stream.getReader();
      return stream;
    },
    throws(_context: Context): AsyncIterable<number> {
      throw new HubError("Not even a stream");
    },
    plain: (_context: Context) => 5,
    noStream: (_context: Context) => null,
    text: (_context: Context) => "letters",
  },
});

onEachProtocol(
  "stream() gives every item that a method gives, in order",
  () => ({ hub }),
  async ({ client: { connection } }) => {
    const cases: readonly (readonly [method: string, args: unknown[], items: unknown[]])[] = [
      ["count", [3], [0, 1, 2]],
      ["COUNT", [1], [0]],
      ["count", [0], []],
      ["letters", ["a", "b"], ["a", "b"]],
      ["promised", [], [1, 2]],
      ["nothing", [], []],
      ["readable", [3], [0, 1, 2]],
      ["emptyReadable", [], []],
      ["list", [], [1, [2], { three: 3 }]],
      ["later", [], ["a", "b"]],
      ["nulls", [], [null, null, 0]],
    ];
    for (const [method, args, items] of cases) {
      assertEquals(await StreamReader.all(connection.stream(method, ...args)), [items, undefined]);
    }
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "stream() gives items as each protocol has them",
  () => ({ hub }),
  async ({ client: { connection }, protocol }) => {
    const [items] = await StreamReader.all(connection.stream("values"));
    const date = new Date("2026-01-02T03:04:05.678Z");
    const [first, second] = items;
    if (protocol === "json") assertEquals(first, { date: date.toJSON(), bytes: "Af8=" });
    else assertEquals(structuredClone(first), { date, bytes: new Uint8Array([1, 255]) });
    assertEquals(second, [9, "é😀\u2028\x1e"]);
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "stream() gives 10,000 items in order, and several streams at once",
  () => ({ hub }),
  async ({ client: { connection } }) => {
    const streams = ["count", "readable"].map((method) =>
      StreamReader.all(connection.stream(method, 10_000))
    );
    for (const [items, error] of await Promise.all(streams)) {
      assertEquals(error, undefined);
      assertEquals(items, [...Array(10_000).keys()]);
    }
  },
).forEach((test) => Deno.test(test));

for (const detailedErrors of [false, true]) {
  onEachProtocol(
    `stream() ends in the error of its method, with detailedErrors ${detailedErrors}`,
    () => ({ hub }),
    async ({ client: { connection } }) => {
      const broken = "An error occurred on the server while streaming results.";
      const secret = detailedErrors ? " TypeError: secret" : "";
      const cases: readonly (readonly [method: string, items: unknown[], text: string])[] = [
        ["refuses", [1], `${broken} HubException: No more of these`],
        ["breaks", [1], broken + secret],
        ["breaksAtOnce", [], broken + secret],
        ["rejects", [1], `${broken} HubException: rejected`],
        ["erroredReadable", [], `${broken} HubException: errored`],
        [
          "throws",
          [],
          "An unexpected error occurred invoking 'throws' on the server. " +
          "HubException: Not even a stream",
        ],
      ];
      for (const [method, items, text] of cases) {
        assertEquals(await StreamReader.all(connection.stream(method)), [items, text], method);
      }
      const [, locked] = await StreamReader.all(connection.stream("lockedReadable"));
      assertEquals(locked?.startsWith(broken), true);
    },
    { detailedErrors },
  ).forEach((test) => Deno.test(test));
}

onEachProtocol(
  "stream() of a method that does not stream, and invoke() of one that does, are refused",
  () => ({ hub }),
  async ({ client }) => {
    const refused = (method: string) =>
      `The client attempted to invoke the non-streaming '${method}' method with a streaming ` +
      "invocation.";
    for (const method of ["plain", "noStream", "text"]) {
      const outcome = await StreamReader.all(client.connection.stream(method));
      assertEquals(outcome, [[], refused(method)]);
    }
    for (const method of ["count", "letters", "readable", "later", "lockedReadable"]) {
      const args = method === "count" || method === "readable" ? [1] : [];
      const { message } = await assertRejects(() => client.invoke(method, ...args), Error);
      assertEquals(
        message,
        `The client attempted to invoke the streaming '${method}' method with a non-streaming ` +
          "invocation.",
      );
    }
    // A list is a result as well as a stream.
    assertEquals(await client.invoke("list"), [1, [2], { three: 3 }]);
  },
).forEach((test) => Deno.test(test));
