import { assertEquals } from "@std/assert";
import { bounded } from "../../kit/wait.ts";
import { AnsweringClient, ask, onEachBus, outcome } from "./asking.ts";

/** Long enough that only something else can end a wait. */
const LONG = { timeout: 2 ** 31 - 1 };

onEachBus(
  "invoke() resolves with what the client answers",
  async ({ asking, url, protocol, name }) => {
    await using client = await AnsweringClient.connect(url, protocol, (value) => value);
    const values = [1, "x", null, false, 0, "", [], {}, { a: [1, { b: null }] }, "é😀\x1e"];
    for (const value of values) {
      assertEquals(await ask(asking, client.id, value), value, name);
    }
    assertEquals(client.asked.all, values);
    const date = new Date("2026-01-02T03:04:05.678Z");
    const expected = protocol === "json" ? date.toJSON() : date;
    assertEquals(await ask(asking, client.id, date), expected, name);
  },
).forEach((test) => Deno.test(test));

onEachBus(
  "invoke() resolves when a client answers later than another question",
  async ({ asking, url, protocol, name }) => {
    const first = Promise.withResolvers<unknown>();
    await using client = await AnsweringClient.connect(
      url,
      protocol,
      (value) => value === "first" ? first.promise : value,
    );
    const slow = ask(asking, client.id, "first");
    assertEquals(await ask(asking, client.id, "second"), "second", name);
    first.resolve("at last");
    assertEquals(await slow, "at last", name);
  },
).forEach((test) => Deno.test(test));

onEachBus(
  "invoke() of many clients at once gives each its own answer",
  async ({ asking, url, protocol, name }) => {
    await using one = await AnsweringClient.connect(url, protocol, (value) => `one ${value}`);
    await using two = await AnsweringClient.connect(url, "json", (value) => `two ${value}`);
    const numbers = [...Array(50).keys()];
    const answers = await Promise.all(
      numbers.map((n) => ask(asking, n % 2 === 0 ? one.id : two.id, n)),
    );
    assertEquals(answers, numbers.map((n) => `${n % 2 === 0 ? "one" : "two"} ${n}`), name);
  },
).forEach((test) => Deno.test(test));

onEachBus(
  "invoke() rejects with the client's error",
  async ({ asking, url, protocol, name }) => {
    await using throwing = await AnsweringClient.connect(url, protocol, () => {
      throw new Error("unlucky");
    });
    await using silent = await AnsweringClient.connect(url, protocol, () => undefined);
    await using without = await AnsweringClient.connect(url, protocol);
    const none = "HubError: Client didn't provide a result.";
    for (
      const [client, text] of [
        [throwing, "HubError: Error: unlucky"],
        [silent, none],
        [without, none],
      ] as const
    ) {
      assertEquals(await outcome(ask(asking, client.id, 1, LONG)), text, name);
    }
  },
).forEach((test) => Deno.test(test));

onEachBus(
  "invoke() rejects when the client takes too long, and its late answer does no harm",
  async ({ asking, url, protocol, name }) => {
    const late = Promise.withResolvers<unknown>();
    await using client = await AnsweringClient.connect(
      url,
      protocol,
      (value) => value === "late" ? late.promise : value,
    );
    const text = "HubError: The client did not answer within 50 ms.";
    assertEquals(await outcome(ask(asking, client.id, "late", { timeout: 50 })), text, name);
    late.resolve("too late");
    assertEquals(await ask(asking, client.id, "next"), "next", name);
  },
).forEach((test) => Deno.test(test));

onEachBus(
  "invoke() rejects when its signal is aborted, and the late answer does no harm",
  async ({ asking, url, protocol, name }) => {
    const late = Promise.withResolvers<unknown>();
    await using client = await AnsweringClient.connect(
      url,
      protocol,
      (value) => value === "late" ? late.promise : value,
    );
    const controller = new AbortController();
    const { signal } = controller;
    const result = outcome(ask(asking, client.id, "late", { ...LONG, signal }));
    assertEquals(await client.asked.next(), "late");
    controller.abort();
    const canceled = "HubError: Invocation canceled by the server.";
    assertEquals(await result, canceled, name);
    late.resolve("too late");
    assertEquals(await outcome(ask(asking, client.id, "never sent", { signal })), canceled, name);
    assertEquals(await ask(asking, client.id, "next"), "next", name);
    assertEquals(client.asked.all, ["late", "next"], name);
  },
).forEach((test) => Deno.test(test));

onEachBus(
  "invoke() rejects at once when the client goes before it has answered",
  async ({ asking, url, protocol, name }) => {
    await using client = await AnsweringClient.connect(url, protocol, () => new Promise(() => {}));
    const results = [1, 2, 3].map((n) => outcome(ask(asking, client.id, n, LONG)));
    await client.asked.take(3);
    await client.stop();
    const text = `ClientConnectionError: Connection '${client.id}' disconnected.`;
    assertEquals(await bounded(Promise.all(results)), [text, text, text], name);
  },
).forEach((test) => Deno.test(test));

onEachBus(
  "invoke() rejects at once when nobody has the connection",
  async ({ asking, name }) => {
    assertEquals(
      await bounded(outcome(ask(asking, "1234", 1, LONG))),
      "ClientConnectionError: Connection '1234' does not exist.",
      name,
    );
  },
  ["memory", "redis", "nats"],
).forEach((test) => Deno.test(test));
