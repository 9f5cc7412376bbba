import { assert, assertEquals } from "@std/assert";
import { Frame, type TextOrBytes } from "../../../hub/protocol/frame.ts";
import type { Pipe, PipeListener } from "../../../hub/connection/pipe.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { Splice } from "../../../hub/transports/splice.ts";
import { SplicedPipe } from "../../../hub/transports/spliced_pipe.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { settle } from "../../kit/pipe.ts";

/** The socket of a client. */
class ClientPipe implements Pipe {
  bufferedBytes = 0;
  readonly written: TextOrBytes[] = [];
  readonly ends: (number | "terminated")[] = [];
  paused = false;
  /** Whether the client reads nothing. */
  stuck = false;

  write({ content, byteLength }: Frame): void {
    this.written.push(content);
    if (this.stuck) this.bufferedBytes += byteLength;
  }

  close(code: number): void {
    this.ends.push(code);
  }

  terminate(): void {
    this.ends.push("terminated");
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

/** A connection at its home. */
class HomeListener implements PipeListener {
  readonly received: string[] = [];
  readonly ends: boolean[] = [];

  receive(chunk: TextOrBytes): void {
    this.received.push(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk));
  }

  pipeClosed(vanished = false): void {
    this.ends.push(vanished);
  }
}

/** Both ends of a spliced socket, without nodes between them. */
function spliced(maximumBytes = 1_000_000) {
  const clock = new ManualClock();
  const splice = new Splice(new Scheduler(clock), maximumBytes);
  const [client, home, listener] = [new ClientPipe(), new SplicedPipe(), new HomeListener()];
  void home.connect(listener, splice.body);
  const socket = splice.open(client, home.body);
  return { clock, client, home, listener, socket };
}

Deno.test("Splice passes messages on, whole and of their kind, whatever their size", async () => {
  const { client, home, listener, socket } = spliced();
  const contents: TextOrBytes[] = [
    ...["{}\x1e", "é".repeat(100_000), "", new Uint8Array(70_000).fill(7), "x"],
    ...Array.from({ length: 200 }, (_, n) => `${n} `.repeat(n)),
  ];
  for (const content of contents) home.write(new Frame(content));
  for (const text of ["one", "two"]) socket.receive(text);
  socket.receive(new TextEncoder().encode("three"));
  for (let turn = 0; turn < 20; turn++) await settle();
  assertEquals(client.written, contents);
  assertEquals(listener.received.join(""), "onetwothree");
  assertEquals([client.ends, listener.ends], [[], []]);
});

Deno.test("Splice closes the socket with the code of the home, after the messages", async () => {
  const { client, home } = spliced();
  home.write(new Frame("last"));
  home.close(1011);
  home.write(new Frame("too late"));
  await settle();
  assertEquals([client.written, client.ends], [["last"], [1011]]);
});

Deno.test("Splice drops the socket when the home drops it, or has gone", async () => {
  const dropped = spliced();
  dropped.home.terminate();
  await settle();
  assertEquals(dropped.client.ends, ["terminated"]);
  const client = new ClientPipe();
  const splice = new Splice(new Scheduler(new ManualClock()), 1000);
  const answer = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new TypeError("broken off")),
  }, { highWaterMark: 0 });
  splice.open(client, answer);
  await settle();
  assertEquals(client.ends, ["terminated"]);
});

Deno.test("Splice tells the home whether the client has closed its socket, or has vanished", async () => {
  for (const vanished of [false, true]) {
    const { listener, socket } = spliced();
    socket.receive("last");
    await settle();
    socket.pipeClosed(vanished);
    await settle();
    assertEquals([listener.received, listener.ends[0]], [["last"], vanished]);
  }
});

Deno.test("Splice takes no more from the home than a client reads", async () => {
  const { clock, client, home } = spliced();
  client.stuck = true;
  for (let n = 0; n < 100; n++) home.write(new Frame("x".repeat(10_000)));
  for (let turn = 0; turn < 10; turn++) await settle();
  const { length } = client.written;
  // A chunk of 64 KiB may follow those that are one byte below the limit.
  assert(length <= 14, `${length}`);
  assertEquals(home.bufferedBytes > 800_000, true);
  client.stuck = false;
  client.bufferedBytes = 0;
  for (let turn = 0; turn < 20; turn++) {
    clock.advance(50);
    await settle();
  }
  assertEquals([client.written.length, home.bufferedBytes], [100, 0]);
});

Deno.test("Splice reads no more from the client than the home takes", async () => {
  const { clock, client, home, listener, socket } = spliced(200_000);
  home.pause();
  const send = async (bytes: number) => {
    socket.receive("x".repeat(bytes));
    await settle();
  };
  // What is on its way, and a piece that the home has asked for.
  for (let n = 0; n < 7; n++) await send(20_000);
  assertEquals([client.paused, client.ends], [true, []]);
  home.resume();
  for (let turn = 0; turn < 10; turn++) {
    clock.advance(50);
    await settle();
  }
  assertEquals([client.paused, listener.received.join("").length], [false, 140_000]);
  // A socket that goes on while it is paused is dropped: its client may come back.
  home.pause();
  for (let n = 0; n < 12; n++) await send(20_000);
  assertEquals(client.ends, ["terminated"]);
});
