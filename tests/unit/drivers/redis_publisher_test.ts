import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { Command, Redis } from "ioredis";
import { BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { RedisPublisher } from "../../../backplanes/redis/publisher.ts";

/** A client that keeps its commands and never answers. */
function silentClient(failure?: Error) {
  const commands: { toWritable(): Uint8Array; reject(error: Error): void }[] = [];
  const redis = {
    stream: { writable: true, write: () => true },
    sendCommand(command: Command) {
      if (failure !== undefined) throw failure;
      const kept = command as unknown as (typeof commands)[number];
      kept.toWritable();
      commands.push(kept);
    },
  };
  return { redis: redis as unknown as Redis, commands };
}

const payload = new Uint8Array(1);

async function reasons(published: Promise<number>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(published);
  return outcomes.map((outcome) => outcome.status === "rejected" ? outcome.reason : undefined);
}

Deno.test("RedisPublisher.publish() rejects when the client throws, and counts no bytes for that", async () => {
  const publisher = new RedisPublisher(1000);
  const { redis } = silentClient(new RangeError("Array buffer allocation failed"));
  const large = new Uint8Array(64 * 1024 * 1024);
  // Three of these would be more than may wait.
  for (let time = 0; time < 3; time++) {
    await assertRejects(() => publisher.publish(redis, "news", large), RangeError, "allocation");
  }
  publisher.close(new Error("closed"));
});

Deno.test("RedisPublisher makes few errors for many publishes that wait too long", async () => {
  const publisher = new RedisPublisher(20);
  const { redis } = silentClient();
  const errors = new Set(
    await reasons(Array.from({ length: 1000 }, () => publisher.publish(redis, "news", payload))),
  );
  for (const error of errors) assertInstanceOf(error, BackplaneUnavailableError);
  // One for each look at the publishes: they were not made in the same millisecond.
  assert(errors.size < 100, `${errors.size} errors`);
  publisher.close(new Error("closed"));
});

Deno.test("RedisPublisher makes one error for all publishes of a lost connection", async () => {
  const publisher = new RedisPublisher(1000);
  const { redis, commands } = silentClient();
  const published = Array.from({ length: 100 }, () => publisher.publish(redis, "news", payload));
  const lost = new Error("Connection is closed.");
  for (const command of commands) command.reject(lost);
  const [first, ...others] = await reasons(published);
  assertInstanceOf(first, BackplaneUnavailableError);
  assertEquals(first.message, "Cannot publish: the connection was lost");
  assert(others.every((reason) => reason === first));
  publisher.close(new Error("closed"));
});
