import { Subject } from "@microsoft/signalr";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SignalRClient } from "../../signalr_client.ts";
import { StreamReader } from "../../stream_reader.ts";
import type { Case } from "../world.ts";

const BROKEN = "An error occurred on the server while streaming results.";

/**
 * Shows that items which nobody reads any more do no harm. They are on their way when it resolves: what
 * the client still has when it stops, it rejects in promises that nobody can handle.
 */
async function ignoresItems(client: SignalRClient, subject: Subject<unknown>): Promise<void> {
  for (let n = 0; n < 5; n++) subject.next(n);
  // Items leave one at a time, each with a request of its own where the transport has requests.
  for (let n = 0; n < 8; n++) await client.connection.send("nothing");
  assertEquals(await client.invoke("echo", "here"), "here");
}

/** The hub streams to its client. */
export const streams: Case = {
  name: "stream() gives every item in order, of several streams at once",
  async run(world) {
    const { connection } = await world.connect();
    const values = [null, "é\x1e", { a: [1] }];
    const [counted, nothing, read] = await Promise.all([
      StreamReader.all(connection.stream("count", 300)),
      StreamReader.all(connection.stream("count", 0)),
      StreamReader.all(connection.stream("readable", values)),
    ]);
    assertEquals(counted, [[...Array(300).keys()], undefined]);
    assertEquals(nothing, [[], undefined]);
    assertEquals(structuredClone(read), [values, undefined]);
  },
};

const breaks: Case = {
  name: "stream() ends in the error of its method, after what came before",
  async run(world) {
    const { connection } = await world.connect();
    const end = (method: string, ...args: unknown[]) =>
      StreamReader.all(connection.stream(method, ...args));
    assertEquals(await end("breaks", [1, 2], "No more"), [
      [1, 2],
      `${BROKEN} HubException: No more`,
    ]);
    assertEquals(await end("breaks", [1], null), [[1], BROKEN]);
    assertEquals(await end("echo", 1), [
      [],
      "The client attempted to invoke the non-streaming 'echo' method with a streaming " +
      "invocation.",
    ]);
    assertEquals(await connection.invoke("echo", 1), 1);
  },
};

const cancels: Case = {
  name: "dispose() of a stream ends it on the server too",
  async run(world) {
    const client = await world.connect();
    const reader = new StreamReader(client.connection.stream("endless", world.tag));
    assertEquals(await reader.items.take(3), [0, 1, 2]);
    reader.cancel();
    await client.invoke("happened", `left ${world.tag}`);
    const { length } = reader.items.all;
    assertEquals(await client.invoke("echo", 1), 1);
    assertEquals(reader.items.all.length, length);
  },
};

const stops: Case = {
  name: "stop() in the middle of a stream ends it on the server too",
  async run(world) {
    const [client, witness] = [await world.connect(), await world.connect()];
    const reader = new StreamReader(client.connection.stream("endless", world.tag));
    await reader.items.next();
    await client.stop();
    assert(await reader.end !== undefined, "a stream that was cut is not complete");
    await witness.invoke("happened", `left ${world.tag}`);
  },
};

const uploads: Case = {
  name: "a method reads what its client uploads, to its end or its error",
  async run(world) {
    const client = await world.connect();
    for (const items of [[], ["a", null, { b: [2] }], [...Array(15).keys()]]) {
      const subject = new Subject<unknown>();
      const result = client.invoke("collect", subject);
      for (const item of items) subject.next(item);
      subject.complete();
      assertEquals(structuredClone(await result), [items, "ended"]);
    }
    const torn = new Subject<unknown>();
    const result = client.invoke("collect", torn);
    torn.next(1);
    torn.error(new Error("torn"));
    assertEquals(await result, [[1], "HubError: torn"]);
  },
};

const sentUploads: Case = {
  name: "send() uploads as well, and one call may have several uploads",
  async run(world) {
    const client = await world.connect();
    const sent = new Subject<unknown>();
    await client.connection.send("keep", world.tag, sent);
    sent.next("x");
    sent.complete();
    assertEquals(await client.invoke("kept", world.tag), [["x"], "ended"]);
    // The official client does not recognise two streams that stand next to each other.
    const [first, second] = [new Subject<unknown>(), new Subject<unknown>()];
    const result = client.invoke("two", first, "and", second);
    for (const n of [1, 2]) {
      first.next(n);
      second.next(-n);
    }
    second.complete();
    first.error(new Error("torn"));
    assertEquals(await result, ["and", [[1, 2], "HubError: torn"], [[-1, -2], "ended"]]);
  },
};

const refusesUpload: Case = {
  name: "a method that throws while it reads an upload fails its call alone",
  async run(world) {
    const client = await world.connect();
    const subject = new Subject<unknown>();
    const result = client.invoke("stops", subject);
    subject.next(1);
    const { message } = await assertRejects(() => result, Error);
    assertEquals(
      message,
      "An unexpected error occurred invoking 'stops' on the server. HubException: Stop it",
    );
    await ignoresItems(client, subject);
  },
};

const bothWays: Case = {
  name: "a method streams what it reads from an upload while it comes, until either side ends it",
  async run(world) {
    const client = await world.connect();
    const subject = new Subject<unknown>();
    const reader = new StreamReader(client.connection.stream("double", world.tag, subject));
    for (let n = 0; n < 8; n++) {
      subject.next(n);
      assertEquals(await reader.items.next(), 2 * n);
    }
    subject.complete();
    assertEquals(await reader.end, undefined);
    const name = `${world.tag} cancelled`;
    const endless = new Subject<unknown>();
    const cancelled = new StreamReader(client.connection.stream("double", name, endless));
    endless.next(1);
    assertEquals(await cancelled.items.next(), 2);
    cancelled.cancel();
    await client.invoke("happened", `left ${name}`);
    await ignoresItems(client, endless);
    assertEquals(cancelled.items.all, [2]);
  },
};

/** Streams in both directions. */
export const STREAMS: readonly Case[] = [
  streams,
  breaks,
  cancels,
  stops,
  uploads,
  sentUploads,
  refusesUpload,
  bothWays,
];
