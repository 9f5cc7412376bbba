import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { JoinedCommands } from "../../../backplanes/redis/joined_commands.ts";

/** A batch over a socket that only writes down what it is given. */
function recorded(): { batch: JoinedCommands; writes: string[]; socket: { writable: boolean } } {
  const writes: string[] = [];
  const socket = {
    writable: true,
    write: (bytes: Uint8Array) => void writes.push(new TextDecoder().decode(bytes)),
  };
  // The little that a batch uses of a socket.
  const batch = new JoinedCommands(
    socket as unknown as ConstructorParameters<typeof JoinedCommands>[0],
  );
  return { batch, writes, socket };
}

/** Queues a command as a publish does. */
function queue(batch: JoinedCommands, command: string): void {
  const memory = batch.room(command.length);
  batch.queue(batch.end + memory.write(command, batch.end));
}

/** Shows a batch that its bus is near, so often that this machine is not too slow for it every time. */
function approach({ batch, writes }: ReturnType<typeof recorded>): void {
  for (let time = 0; time < 20; time++) {
    queue(batch, "first");
    batch.flush();
    batch.answered();
  }
  writes.length = 0;
}

Deno.test("JoinedCommands writes what one turn brings as one write at its end", async () => {
  const { batch, writes } = recorded();
  for (const turn of [["a", "b"], ["c"]]) {
    for (const command of turn) queue(batch, command);
    await setImmediate();
    for (const _ of turn) batch.answered();
  }
  assertEquals(writes, ["ab", "c"]);
});

Deno.test("JoinedCommands joins what comes while a near bus has not answered, in order", async () => {
  const record = recorded();
  const { batch, writes } = record;
  approach(record);
  queue(batch, "a");
  // The turns that were begun before count as well.
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  assertEquals(writes, ["a"]);
  for (const command of ["b", "c"]) queue(batch, command);
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  assertEquals(writes, ["a"]);
  batch.answered();
  assertEquals(writes, ["a", "bc"]);
  queue(batch, "d");
  batch.answered();
  assertEquals(writes, ["a", "bc"]);
  batch.answered();
  assertEquals(writes, ["a", "bc", "d"]);
});

Deno.test("JoinedCommands lets nothing wait for a bus far away beyond the end of the turn", async () => {
  const { batch, writes } = recorded();
  queue(batch, "a");
  await setImmediate();
  for (const command of ["b", "c"]) queue(batch, command);
  await setImmediate();
  assertEquals(writes, ["a", "bc"]);
});

Deno.test("JoinedCommands.flush() writes what waits, and gives a socket that has ended nothing", () => {
  const record = recorded();
  const { batch, writes, socket } = record;
  approach(record);
  for (const command of ["a", "b"]) queue(batch, command);
  batch.flush();
  assertEquals(writes, ["ab"]);
  queue(batch, "c");
  socket.writable = false;
  batch.flush();
  assertEquals(writes, ["ab"]);
});

Deno.test("JoinedCommands changes no bytes that a socket may still have, and keeps commands of any size", () => {
  const given: { bytes: Uint8Array; text: string }[] = [];
  const socket = {
    writable: true,
    write: (bytes: Uint8Array) => void given.push({ bytes, text: new TextDecoder().decode(bytes) }),
  };
  const batch = new JoinedCommands(
    socket as unknown as ConstructorParameters<typeof JoinedCommands>[0],
  );
  let unanswered = 0;
  for (let round = 0; round < 200; round++) {
    const sizes = [1, 30_000, round === 100 ? 200_000 : 7, 2000];
    const commands = sizes.map((size, index) => String((round + index) % 10).repeat(size));
    for (const command of commands) queue(batch, command);
    batch.flush();
    unanswered += sizes.length;
    assertEquals(given.at(-1)?.text, commands.join(""));
    const changed = given.filter(({ bytes, text }) => new TextDecoder().decode(bytes) !== text);
    assertEquals(changed.length, 0, `round ${round}`);
    if (round % 5 < 4) continue;
    for (; unanswered > 0; unanswered--) batch.answered();
    given.length = 0;
  }
  const memories = new Set<ArrayBufferLike>();
  for (let round = 0; round < 10; round++) {
    queue(batch, "small");
    batch.flush();
    batch.answered();
    memories.add((given.at(-1)?.bytes ?? Buffer.alloc(0)).buffer);
  }
  assertEquals(memories.size, 1);
});
