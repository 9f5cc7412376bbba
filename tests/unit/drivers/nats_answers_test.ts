import { assertEquals, assertRejects } from "@std/assert";
import type { Deferred } from "nats/lib/nats-base-client/internal_mod.js";
import { Answers } from "../../../backplanes/nats/answers.ts";

/** Sends no PING, and reads a PONG when it is told to. */
function protocol(): { pongs: Deferred<void>[]; flush(): Promise<void>; read(): void } {
  const pongs: Deferred<void>[] = [];
  return {
    pongs,
    flush(pong?: Deferred<void>) {
      if (pong !== undefined) pongs.push(pong);
      return Promise.resolve();
    },
    read: () => pongs.shift()?.resolve(),
  };
}

Deno.test("Answers gives a refusal to the command whose PONG comes next, however they are read", async () => {
  const fake = protocol();
  const answers = new Answers(fake);
  const [first, second, third] = [answers.asked(), answers.asked(), answers.asked()];
  // All in one turn, as when one read brings all answers.
  fake.read();
  assertEquals(answers.refuse(new Error("too many")), true);
  assertEquals(answers.refuse(new Error("far too many")), true);
  fake.read();
  fake.read();
  const refusals = await Promise.all([first, second, third]);
  assertEquals(refusals.map((error) => error?.message), [undefined, "too many", undefined]);
});

Deno.test("Answers refuses no command that cannot be refused, and none when nothing waits", async () => {
  const fake = protocol();
  const answers = new Answers(fake);
  assertEquals(answers.refuse(new Error("of nothing")), false);
  const flushed = answers.flush();
  const asked = answers.asked();
  assertEquals(answers.refuse(new Error("of the flush")), false);
  fake.read();
  await flushed;
  fake.read();
  assertEquals(await asked, undefined);
  assertEquals(answers.refuse(new Error("of nothing")), false);
});

Deno.test("Answers rejects what waits when the connection ends, and all that follows", async () => {
  const fake = protocol();
  const answers = new Answers(fake);
  const waiting = [answers.flush(), answers.asked()];
  answers.fail(new Error("gone"));
  answers.fail(new Error("gone again"));
  for (const each of [...waiting, answers.flush(), answers.asked()]) {
    await assertRejects(() => each, Error, "gone");
  }
});
