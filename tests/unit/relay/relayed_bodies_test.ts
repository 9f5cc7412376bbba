/**
 * The bodies of requests and answers between nodes in memory, while a clock is moved by hand.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { assertIdle, brief, pair } from "./relay_farm.ts";

/** A body whose parts come when the test says so. */
function trickle(): [ReadableStream<Uint8Array>, (text: string | undefined) => void] {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (one) => void (controller = one) });
  return [body, (text) => {
    if (text === undefined) controller?.close();
    else controller?.enqueue(new TextEncoder().encode(text));
  }];
}

Deno.test("a body goes to the home as it comes, in messages below 64 KiB", async () => {
  const [farm, relay, home] = pair();
  const heard: string[] = [];
  home.connections.set("c", async ({ body }) => {
    const decoder = new TextDecoder();
    for await (const part of body ?? []) heard.push(decoder.decode(part));
    return new Response(null, { status: 200 });
  });
  const [body, write] = trickle();
  const answer = relay.request({ connectionId: "c", verb: "post", body, home: "home" });
  for (const text of ["one", "two", "three"]) {
    write(text);
    await farm.pass(0);
  }
  assertEquals(heard.splice(0), ["one", "two", "three"]);
  const long = "x".repeat(1_000_000);
  write(long);
  write("end");
  write(undefined);
  assertEquals(await brief(await farm.until(answer)), "200 ");
  assertEquals(heard.join("") === `${long}end`, true);
  assert(farm.largest < 65_536, `${farm.largest}`);
  assertIdle(farm);
});

Deno.test("a body that the home does not read is read two pieces ahead, and no further", async () => {
  const [farm, relay, home] = pair();
  const { promise, resolve } = Promise.withResolvers<void>();
  home.connections.set("c", async ({ body }) => {
    await promise;
    return new Response(`${(await new Response(body).bytes()).length}`);
  });
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(10_000));
      if (++pulled === 100) controller.close();
    },
  }, { highWaterMark: 0 });
  const answer = relay.request({ connectionId: "c", verb: "post", body, home: "home" });
  await farm.pass(20_000);
  // Two pieces are at the home, and one waits here.
  assert(pulled <= 20, `${pulled}`);
  resolve();
  assertEquals(await brief(await farm.until(answer)), "200 1000000");
});

Deno.test("a long answer goes no faster than the client takes it, and ends with the client", async () => {
  const [farm, relay, home] = pair();
  let pulled = 0;
  let cancelled = false;
  const stream = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10_000).fill(++pulled)),
      cancel: () => void (cancelled = true),
    }, { highWaterMark: 0 });
  home.connections.set("c", () => new Response(stream()));
  const answer = await farm.until(relay.request({ connectionId: "c" }));
  assert(answer instanceof Response);
  await farm.pass(5000);
  assert(pulled <= 20, `${pulled}`);
  const reader = answer.body?.getReader();
  for (let bytes = 0; bytes < 1_000_000;) {
    const { value } = await farm.until(reader?.read() ?? Promise.reject());
    bytes += value?.length ?? 0;
  }
  assertEquals(home.lost, []);
  await reader?.cancel();
  await farm.pass(250);
  assertEquals([cancelled, home.lost], [true, ["c"]]);
  assertIdle(farm);
});

Deno.test("an answer that the client does not take for transportSendTimeout is lost", async () => {
  const [farm, relay, home] = pair();
  home.connections.set("c", () => new Response(new Uint8Array(500_000)));
  const answer = await farm.until(relay.request({ connectionId: "c" }));
  assert(answer instanceof Response);
  await farm.pass(9000);
  assertEquals(home.lost, []);
  await farm.pass(4000);
  assertEquals(home.lost, ["c"]);
  await assertRejects(() => answer.bytes(), TypeError, "broken off");
  assertIdle(farm);
});

Deno.test("close() ends an answer without a byte as one of a poll that waits, and breaks others off", async () => {
  for (const text of ["", "hello"]) {
    const [farm, relay, home] = pair();
    const [body, write] = trickle();
    home.connections.set("c", () => new Response(body));
    const answer = await farm.until(relay.request({ connectionId: "c" }));
    assert(answer instanceof Response);
    if (text !== "") write(text);
    await farm.pass(250);
    relay.relay.close();
    if (text === "") assertEquals(await answer.text(), "");
    else await assertRejects(() => answer.text(), TypeError, "broken off");
    await farm.pass(250);
    assertEquals(home.lost, text === "" ? [] : ["c"]);
    assertIdle(farm);
  }
});

Deno.test("whatever the bus loses or doubles, a body arrives once and whole, and so does the answer", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("arrives", "arrives", "lost", "twice"), { maxLength: 60 }),
      fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 5 }),
      fc.integer({ min: 0, max: 200_000 }),
      async (fates, lengths, length) => {
        const [farm, relay, home] = pair();
        let messages = 0;
        farm.fate = () => fates[messages++] ?? "arrives";
        const parts = [...lengths];
        const expected = Uint8Array.from(
          { length: parts.reduce((a, b) => a + b, 0) },
          (_, n) => n * 7,
        );
        const received: Uint8Array[] = [];
        home.connections.set("c", async ({ body }) => {
          received.push(await new Response(body).bytes());
          return new Response(Uint8Array.from({ length }, (_, n) => n * 3));
        });
        let at = 0;
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            const [next] = parts.splice(0, 1);
            if (next === undefined) return controller.close();
            controller.enqueue(expected.slice(at, at += next));
          },
        });
        const answer = await farm.until(relay.request({ connectionId: "c", verb: "post", body }));
        assert(answer instanceof Response, `${answer}`);
        const bytes = await farm.until(answer.bytes());
        assertEquals(received.length, 1);
        assertEquals(Buffer.compare(received[0] ?? new Uint8Array(), expected), 0);
        assertEquals(bytes.length, length);
        assertEquals(bytes.findIndex((byte, n) => byte !== (n * 3) % 256), -1);
        await farm.pass(15_000);
        assertEquals(home.lost, []);
        assertIdle(farm);
      },
    ),
    { numRuns: 100 },
  );
});
