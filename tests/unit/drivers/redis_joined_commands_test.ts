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

/** Shows a batch that its bus is near, so often that this machine is not too slow for it every time. */
function approach({ batch, writes }: ReturnType<typeof recorded>): void {
  for (let time = 0; time < 20; time++) {
    batch.write(Buffer.from("first"));
    batch.flush();
    batch.answered();
  }
  writes.length = 0;
}

Deno.test("JoinedCommands writes what one turn brings as one write at its end", async () => {
  const { batch, writes } = recorded();
  for (const turn of [["a", "b"], ["c"]]) {
    for (const command of turn) batch.write(Buffer.from(command));
    await setImmediate();
    for (const _ of turn) batch.answered();
  }
  assertEquals(writes, ["ab", "c"]);
});

Deno.test("JoinedCommands joins what comes while a near bus has not answered, in order", async () => {
  const record = recorded();
  const { batch, writes } = record;
  approach(record);
  batch.write(Buffer.from("a"));
  // The turns that were begun before count as well.
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  assertEquals(writes, ["a"]);
  for (const command of ["b", "c"]) batch.write(Buffer.from(command));
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  assertEquals(writes, ["a"]);
  batch.answered();
  assertEquals(writes, ["a", "bc"]);
  batch.write(Buffer.from("d"));
  batch.answered();
  assertEquals(writes, ["a", "bc"]);
  batch.answered();
  assertEquals(writes, ["a", "bc", "d"]);
});

Deno.test("JoinedCommands lets nothing wait for a bus far away beyond the end of the turn", async () => {
  const { batch, writes } = recorded();
  batch.write(Buffer.from("a"));
  await setImmediate();
  for (const command of ["b", "c"]) batch.write(Buffer.from(command));
  await setImmediate();
  assertEquals(writes, ["a", "bc"]);
});

Deno.test("JoinedCommands.flush() writes what waits, and gives a socket that has ended nothing", () => {
  const record = recorded();
  const { batch, writes, socket } = record;
  approach(record);
  for (const command of ["a", "b"]) batch.write(Buffer.from(command));
  batch.flush();
  assertEquals(writes, ["ab"]);
  batch.write(Buffer.from("c"));
  socket.writable = false;
  batch.flush();
  assertEquals(writes, ["ab"]);
});
