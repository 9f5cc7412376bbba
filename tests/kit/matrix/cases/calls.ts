import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import type { SignalRClient } from "../../signalr_client.ts";
import type { Case } from "../world.ts";

/** What every hub protocol carries as it is. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1.5e-7,
  Number.MAX_SAFE_INTEGER,
  "",
  "é 😀 <>&'\"+\u2028\\/\r\n\u0001\x1e",
  [],
  {},
  [1, [2, [3, []]]],
  { a: { b: [{ c: null }] }, "": 0, "a b": "c", constructor: "mine" },
  Array.from({ length: 1000 }, (_, n) => ({ n })),
];

/** The text that a client sees of a failed call. */
async function failure(client: SignalRClient, method: string, ...args: unknown[]): Promise<string> {
  const error = await assertRejects(() => client.invoke(method, ...args), Error);
  return error.message;
}

/** A client connects. */
export const connects: Case = {
  name: "start() connects, and the client knows its id",
  async run(world) {
    const client = await world.connect();
    assertMatch(client.id, /^[\w-]{22}$/);
    assertEquals((await client.invoke("whoami") as { id: string }).id, client.id);
    assertNotEquals((await world.connect()).id, client.id);
  },
};

/** A call has a result. */
export const invokes: Case = {
  name: "invoke() resolves with what the method returns",
  async run(world) {
    const client = await world.connect();
    assertEquals(await client.invoke("add", 1, 2), 3);
    assertEquals(await client.invoke("ADD", 1, 2), 3);
    assertEquals(await client.invoke("later", "x"), "x");
    // As upstream: a method without a result gives null.
    assertEquals(await client.invoke("nothing"), null);
  },
};

const structuralValues: Case = {
  name: "invoke() carries structural values both ways unchanged",
  async run(world) {
    const client = await world.connect();
    for (const value of VALUES) assertEquals(plain(await client.invoke("echo", value)), value);
    const large = "ü".repeat(15_000);
    assertEquals(await client.invoke("echo", large), large);
  },
};

const typedValues: Case = {
  name: "invoke() gives bytes, dates, undefined and bigint as each protocol has them",
  async run(world) {
    const client = await world.connect();
    const date = new Date("2026-01-02T03:04:05.678Z");
    const json = world.place.protocol === "json";
    assertEquals(plain(await client.invoke("typed")), {
      bytes: json ? "AQL/" : new Uint8Array([1, 2, 255]),
      date: json ? date.toJSON() : date,
      sparse: [null, { b: 10 }],
    });
    assertEquals(await client.invoke("echo", date), json ? date.toJSON() : date);
    const bytes = new Uint8Array([0, 127, 255]);
    // The client writes bytes as an object of numbers where its protocol has none.
    const expected = json ? { 0: 0, 1: 127, 2: 255 } : bytes;
    assertEquals(plain(await client.invoke("echo", bytes)), expected);
  },
};

const manyAtOnce: Case = {
  name: "invoke() gives each of many calls at once its own result",
  async run(world) {
    const client = await world.connect();
    const numbers = [...Array(200).keys()];
    const results = await Promise.all(numbers.map((n) => client.invoke("later", n)));
    assertEquals(results, numbers);
  },
};

const sends: Case = {
  name: "send() calls in order without waiting for results",
  async run(world) {
    const client = await world.connect();
    const values = ["a", 1, null, { b: [2] }];
    for (const value of values) await client.connection.send("note", value);
    assertEquals(plain(await client.invoke("notes")), values);
    // What goes wrong in a call that nobody waits for is nobody's error.
    await client.connection.send("crash");
    await client.connection.send("nosuch");
    assertEquals(await client.invoke("echo", 1), 1);
  },
};

const errors: Case = {
  name: "invoke() rejects with a HubError's text, hides that of others, and leaves the connection",
  async run(world) {
    const client = await world.connect();
    assertEquals(
      await failure(client, "refuse", "The amount must be positive"),
      "An unexpected error occurred invoking 'refuse' on the server. HubException: " +
        "The amount must be positive",
    );
    assertEquals(
      await failure(client, "crash"),
      "An unexpected error occurred invoking 'crash' on the server.",
    );
    assertEquals(
      await failure(client, "add", 1),
      "Failed to invoke 'add' due to an error on the server.",
    );
    assertEquals(
      await failure(client, "nosuch"),
      "Failed to invoke 'nosuch' due to an error on the server. " +
        "HubException: Method does not exist.",
    );
    assertEquals(await client.invoke("echo", 1), 1);
  },
};

/** MessagePack's bytes may be a view of any class; what they hold is what counts. */
function plain(value: unknown): unknown {
  return structuredClone(value);
}

/** Calls of hub methods. */
export const CALLS: readonly Case[] = [
  connects,
  invokes,
  structuralValues,
  typedValues,
  manyAtOnce,
  sends,
  errors,
];
