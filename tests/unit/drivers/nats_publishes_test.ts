import { deadline } from "@std/async";
import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers/promises";
import { delay } from "@std/async";
import { BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { Publishes } from "../../../backplanes/nats/publishes.ts";

/** Publishes to nobody, and keeps a record. */
function recorded(timeout = 5000): { publishes: Publishes; sent: string[] } {
  const sent: string[] = [];
  const publishes = new Publishes({
    publish: (subject) => void sent.push(subject),
    ping: () => void sent.push("PING"),
  }, timeout);
  return { publishes, sent };
}

/** What has become of promises by now. */
async function outcomes(promises: readonly Promise<unknown>[]): Promise<string[]> {
  // Behind every microtask.
  const pending = delay(0).then(() => "pending");
  const outcomes = await Promise.all(
    promises.map((promise) =>
      Promise.race([promise.then(() => "accepted", ({ message }: Error) => message), pending])
    ),
  );
  await pending;
  return outcomes;
}

const denied = (subject: string) =>
  `Cannot publish on the subject "${subject}": NATS does not permit it`;
const payload = new Uint8Array(1);

Deno.test("Publishes sends one PING behind all that is published in one turn", async () => {
  const { publishes, sent } = recorded();
  const first = ["a", "b", "a"].map((subject) => publishes.publish(subject, payload));
  await setImmediate();
  assertEquals(sent, ["a", "b", "a", "PING"]);
  publishes.accepted();
  const second = [publishes.publish("a", payload)];
  await setImmediate();
  assertEquals(sent.slice(4), ["a", "PING"]);
  assertEquals(await outcomes([...first, ...second]), [
    ...["accepted", "accepted", "accepted", "pending"],
  ]);
  publishes.accepted();
  assertEquals(await outcomes(second), ["accepted"]);
  publishes.fail(new Error("the end"));
});

Deno.test("Publishes joins what comes before the PONG, or before the end of the turn if that is far", async () => {
  const { publishes, sent } = recorded();
  publishes.publish("far", payload);
  await setImmediate();
  for (const subject of ["a", "b"]) publishes.publish(subject, payload);
  assertEquals(sent, ["far", "PING"]);
  await setImmediate();
  assertEquals(sent.splice(0), ["far", "PING", "a", "b", "PING"]);
  for (let i = 0; i < 2; i++) publishes.accepted();

  // Answers at once, so many that this machine is not too slow for all: the server is known to be near.
  for (let time = 0; time < 20; time++) {
    publishes.publish("near", payload);
    await setImmediate();
    publishes.accepted();
  }
  sent.length = 0;
  publishes.publish("c", payload);
  await setImmediate();
  const waiting = ["d", "e"].map((subject) => publishes.publish(subject, payload));
  await setImmediate();
  assertEquals(sent, ["c", "PING"]);
  publishes.accepted();
  assertEquals(sent.slice(2), ["d", "e", "PING"]);
  publishes.accepted();
  assertEquals(await outcomes(waiting), ["accepted", "accepted"]);
  publishes.fail(new Error("the end"));
});

Deno.test("Publishes attributes a refusal to the batch whose PONG comes next, however they are read", async () => {
  const { publishes } = recorded();
  const first = publishes.publish("a", payload);
  await setImmediate();
  const second = ["b", "a", "c"].map((subject) => publishes.publish(subject, payload));
  await setImmediate();
  // All in one turn, as when one read brings the whole answer.
  publishes.accepted();
  assertEquals([publishes.denied("a", "why"), publishes.denied("c", "why")], [true, true]);
  publishes.accepted();
  assertEquals(publishes.denied("b", "late"), false);
  assertEquals(await outcomes([first, ...second]), [
    ...["accepted", "accepted", denied("a"), denied("c")],
  ]);
  publishes.fail(new Error("the end"));
});

Deno.test("Publishes resolves with 0 if nobody heard any of the counted messages that share a promise", async () => {
  const { publishes } = recorded();
  const early = publishes.publish("a", payload, "_INBOX.1");
  await setImmediate();
  const counted = ["_INBOX.2", "_INBOX.3"].map((reply) => publishes.publish("a", payload, reply));
  const alone = publishes.publish("b", payload, "_INBOX.4");
  const refused = publishes.publish("c", payload, "_INBOX.5");
  const plain = ["a", "b", "c"].map((subject) => publishes.publish(subject, payload));
  await setImmediate();
  // The notices of a batch come before its PONG; one that comes after belongs to no message.
  publishes.accepted();
  for (const reply of ["_INBOX.1", "_INBOX.3", "_INBOX.4", "_INBOX.9"]) publishes.unheard(reply);
  assertEquals(publishes.denied("c", "why"), true);
  publishes.accepted();
  publishes.unheard("_INBOX.2");
  const count = (promise: Promise<unknown>) => promise.catch(({ message }: Error) => message);
  assertEquals(await Promise.all([early, ...counted, alone, refused, ...plain].map(count)), [
    undefined,
    ...[undefined, undefined, 0, denied("c")],
    ...[undefined, undefined, denied("c")],
  ]);
  publishes.fail(new Error("the end"));
});

Deno.test("Publishes rejects what waits when the connection ends, and all that follows", async () => {
  const { publishes } = recorded();
  const waiting = publishes.publish("a", payload);
  publishes.fail(new BackplaneUnavailableError("gone"));
  assertEquals(await outcomes([waiting, publishes.publish("b", payload)]), ["gone", "gone"]);
});

Deno.test("Publishes takes no more while 128 MiB wait to be accepted", async () => {
  const { publishes, sent } = recorded();
  const mebibyte = new Uint8Array(1024 * 1024);
  const taken = Array.from({ length: 128 }, () => publishes.publish("a", mebibyte));
  assertEquals(
    (await outcomes([publishes.publish("a", payload)]))[0]?.slice(0, 33),
    "Cannot publish: more than 1342177",
  );
  await setImmediate();
  assertEquals(sent.filter((subject) => subject === "a").length, 128);
  // Copying so much takes long, so it may be more than one.
  for (const subject of sent.slice()) if (subject === "PING") publishes.accepted();
  const after = publishes.publish("b", payload);
  await setImmediate();
  assertEquals(sent.slice(-2), ["b", "PING"]);
  publishes.accepted();
  assertEquals(new Set(await outcomes([...taken, after])), new Set(["accepted"]));
  publishes.fail(new Error("the end"));
});

Deno.test("Publishes bounds the number of what waits, however small it is, and accepts 100,000", async () => {
  const { publishes, sent } = recorded();
  let rejected = 0;
  // Each by itself is a promise and a place in line; the payload of all would not be 1 MiB.
  for (let turn = 0; turn < 150; turn++) {
    for (let index = 0; index < 1000; index++) {
      publishes.publish(`${index}`, payload).catch(() => rejected++);
    }
    await Promise.resolve();
    if (turn === 99) assertEquals(rejected, 0);
  }
  await setImmediate();
  assert(rejected > 0);
  assertEquals(sent.filter((subject) => subject !== "PING").length, 150_000 - rejected);
  publishes.fail(new Error("the end"));
});

Deno.test("Publishes rejects what its connection does not take, once", async () => {
  const publishes = new Publishes({
    publish: () => {
      throw new Error("CONNECTION_CLOSED");
    },
    ping: () => {},
  }, 5000);
  const both = [publishes.publish("a", payload), publishes.publish("a", payload)];
  await deadline(Promise.allSettled(both), 5000);
  const told = await outcomes(both);
  publishes.fail(new Error("the end"));
  assertEquals(new Set(told), new Set(["Cannot publish: NATS is away"]));
});
