import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { onEachProtocol } from "./protocols.ts";
import { StreamReader } from "../../kit/stream_reader.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const forever = new Promise<never>(() => {});

/** Generators that give one item and then wait for ever; what they notice goes to `noticed`. */
function generators(noticed: Events<string>) {
  return {
    async *atYield(_context: Context) {
      try {
        for (let n = 0;; n++) {
          yield n;
          // A timer: the event loop must turn.
          await new Promise((resolve) => setTimeout(resolve));
        }
      } finally {
        noticed.add("atYield ended");
      }
    },
    async *onSignal({ signal }: Context) {
      signal.addEventListener("abort", () => noticed.add("onSignal aborted"));
      yield 0;
      try {
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      } finally {
        noticed.add("onSignal ended");
      }
    },
    *synchronous(_context: Context) {
      try {
        yield 0;
        yield forever;
      } finally {
        noticed.add("synchronous ended");
      }
    },
    async *before({ signal }: Context, started: string) {
      noticed.add(started);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      noticed.add("before ended");
      yield 1;
    },
  };
}

/** Other streams that do the same. */
function otherStreams(noticed: Events<string>) {
  /** One item, and no more. */
  const next = () => {
    let asked = 0;
    return () => asked++ === 0 ? Promise.resolve({ value: 0 }) : forever;
  };
  return {
    readable: (_context: Context) =>
      new ReadableStream({
        start: (controller) => controller.enqueue(0),
        cancel: () => noticed.add("readable ended"),
      }),
    custom: (_context: Context): AsyncIterable<number> => ({
      [Symbol.asyncIterator]: () => ({
        next: next(),
        return() {
          noticed.add("custom ended");
          throw new Error("nobody cares");
        },
      }),
    }),
    deaf: (_context: Context): AsyncIterable<number> => ({
      [Symbol.asyncIterator]: () => ({ next: next() }),
    }),
  };
}

function waitingHub() {
  const noticed = new Events<string>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      ...generators(noticed),
      ...otherStreams(noticed),
    },
  });
  return { hub, noticed };
}

/** What each method notices when its client wants no more. */
const ENDINGS: Readonly<Record<string, readonly string[]>> = {
  atYield: ["atYield ended"],
  onSignal: ["onSignal aborted", "onSignal ended"],
  synchronous: ["synchronous ended"],
  readable: ["readable ended"],
  custom: ["custom ended"],
  deaf: [],
};

for (const [method, endings] of Object.entries(ENDINGS)) {
  onEachProtocol(
    `dispose() of a stream ends what gives it: ${method}`,
    waitingHub,
    async ({ client, node, noticed }) => {
      const reader = new StreamReader(client.connection.stream(method));
      assertEquals(await reader.items.next(), 0);
      reader.cancel();
      assertEquals(await noticed.take(endings.length), endings);
      // The connection is as good as before, and nothing went wrong.
      assertEquals(await client.invoke("echo", 1), 1);
      assertEquals(node.log.lines, []);
      // Nothing of the call is left that a drain would wait for.
      await bounded(node.server.drain({ timeout: 2 ** 30 }));
    },
  ).forEach((test) => Deno.test(test));

  onEachProtocol(
    `a client that goes ends what gives its stream: ${method}`,
    waitingHub,
    async ({ node, noticed, protocol }) => {
      await using client = await SignalRClient.connect(node.url("/hub"), { protocol });
      const readers = [1, 2, 3].map(() => new StreamReader(client.connection.stream(method)));
      for (const reader of readers) assertEquals(await reader.items.next(), 0);
      await client.connection.stop();
      const all = await noticed.take(3 * endings.length);
      assertEquals(
        all.toSorted(),
        endings.flatMap((ending) => [ending, ending, ending]).toSorted(),
      );
      assertEquals(node.log.lines, []);
      await bounded(node.server.drain({ timeout: 2 ** 30 }));
    },
  ).forEach((test) => Deno.test(test));
}

onEachProtocol(
  "dispose() of a stream before its first item ends it too",
  waitingHub,
  async ({ client, node, noticed }) => {
    const reader = new StreamReader(client.connection.stream("before", "begun"));
    assertEquals(await noticed.next(), "begun");
    reader.cancel();
    assertEquals(await noticed.next(), "before ended");
    assertEquals(await client.invoke("echo", 1), 1);
    assertEquals([reader.items.all, node.log.lines], [[], []]);
  },
).forEach((test) => Deno.test(test));
