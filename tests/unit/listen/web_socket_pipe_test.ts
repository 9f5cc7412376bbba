import { assertEquals, assertLess } from "@std/assert";
import { Duplex } from "node:stream";
import { Frame } from "../../../hub/protocol/frame.ts";
import { WebSocketPipe } from "../../../hub/listen/web_socket_pipe.ts";
import { settle } from "../../kit/pipe.ts";

/** A message that begins with its number; behind a head for a length of 16 bits, it is 30,004 bytes long. */
function message(number: number): Frame {
  return new Frame(new Uint8Array(30_000).fill(number));
}

/** A WebSocket of `ws` on a connection that takes one write each time that the test says so. */
class ManualSocket {
  readyState = 1;
  /** The numbers of the messages that were taken, and the codes of close frames. */
  readonly taken: number[] = [];
  readonly duplex: Duplex;
  readonly #pending: (() => void)[] = [];

  constructor() {
    const write = (frame: Uint8Array, _encoding: string, done: () => void) => {
      this.#pending.push(() => {
        this.taken.push(frame[4] ?? -1);
        done();
      });
    };
    this.duplex = new Duplex({ read() {}, write });
    this.duplex.on("data", () => {});
  }

  /** The pipe on it. */
  pipe(): WebSocketPipe {
    return new WebSocketPipe(this, this.duplex);
  }

  /** No message of these tests is a ping. */
  pong(): void {}

  /** Takes the next write. */
  async take(): Promise<void> {
    this.#pending.shift()?.();
    await settle();
  }

  get bufferedAmount(): number {
    return this.duplex.writableLength;
  }

  close(code: number): void {
    if (this.readyState !== 1) return;
    this.readyState = 2;
    this.duplex.write(new Uint8Array(5).fill(code - 900));
  }

  send(): void {}
  on(): void {}
  pause(): void {}
  resume(): void {}

  terminate(): void {
    this.duplex.destroy();
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

Deno.test("write() hands little over to a socket that does not take it, and counts it all", async () => {
  const socket = new ManualSocket();
  const pipe = socket.pipe();
  for (let n = 0; n < 50; n++) {
    pipe.write(message(n));
    assertEquals(pipe.bufferedBytes, (n + 1) * 30_004);
    assertLess(socket.bufferedAmount, 64 * 1024 + 30_005);
  }
  for (let n = 50; n < 100; n++) {
    // While the socket has taken a part of what it has, and the rest still waits.
    await socket.take();
    pipe.write(message(n));
    assertEquals(pipe.bufferedBytes, 50 * 30_004);
    assertLess(socket.bufferedAmount, 64 * 1024 + 30_005);
  }
  while (pipe.bufferedBytes > 0) await socket.take();
  assertEquals(socket.taken, upTo(100));
  // It is as new.
  pipe.write(message(100));
  await socket.take();
  assertEquals([socket.taken.length, pipe.bufferedBytes], [101, 0]);
});

Deno.test("close() comes behind all that was written", async () => {
  const socket = new ManualSocket();
  const pipe = socket.pipe();
  for (let n = 0; n < 20; n++) pipe.write(message(n));
  pipe.close(1000);
  pipe.write(message(99));
  pipe.close(1000);
  for (let n = 0; n < 30; n++) await socket.take();
  assertEquals(socket.taken, [...upTo(20), 100]);
});

Deno.test("nothing comes behind a close that the pipe was not asked for", async () => {
  const socket = new ManualSocket();
  const pipe = socket.pipe();
  for (let n = 0; n < 20; n++) pipe.write(message(n));
  const inSocket = Math.ceil(socket.bufferedAmount / 30_004);
  // As when the listener closes, or the client does.
  socket.close(1001);
  for (let n = 0; n < 30; n++) await socket.take();
  assertEquals(socket.taken, [...upTo(inSocket), 101]);
  assertEquals(pipe.bufferedBytes, 0);
});

Deno.test("terminate() and drop() end the socket without a close frame, and drop what waits", () => {
  for (const end of ["terminate", "drop"] as const) {
    const socket = new ManualSocket();
    const pipe = socket.pipe();
    for (let n = 0; n < 20; n++) pipe.write(message(n));
    pipe[end]();
    assertEquals([socket.duplex.destroyed, pipe.bufferedBytes], [true, socket.bufferedAmount]);
  }
});
