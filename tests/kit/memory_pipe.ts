import { setImmediate } from "node:timers";
import type { HubConnection } from "../../hub/connection/connection.ts";
import { Link } from "../../hub/connection/link.ts";
import type { Pipe, PipeListener } from "../../hub/connection/pipe.ts";
import type { Frame } from "../../hub/protocol/frame.ts";
import { Events } from "./wait.ts";

/** The end of a pipe: with a close code, or dropped. */
export type PipeEnd = number | "terminated";

/** A transport without a network: keeps what the hub writes, and says what the test tells it to. */
export class MemoryPipe implements Pipe {
  /** What the transport has not sent yet; a test sets it. */
  bufferedBytes = 0;
  /** Whether what is written stays in the transport, as when the client does not read. */
  stuck = false;
  /** Every write as it came. */
  readonly writes: string[] = [];
  /** Every close and terminate, in order. */
  readonly ends: PipeEnd[] = [];
  /** Whether the hub has asked to stop reading. */
  paused = false;
  readonly #records = new Events<string>();
  #listener: PipeListener | undefined;

  write(frames: Frame): void {
    if (this.ends.length > 0) return;
    const text = new TextDecoder().decode(frames.bytes);
    this.writes.push(text);
    if (this.stuck) this.bufferedBytes += frames.byteLength;
    for (const record of text.split("\x1e").slice(0, -1)) this.#records.add(record);
  }

  close(code: number): void {
    if (this.ends.length === 0) this.ends.push(code);
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

  /** Says who is at the other end. */
  attach(listener: PipeListener): void {
    this.#listener = listener;
  }

  /** The client of `connection` comes back on this pipe. */
  returnTo(connection: HubConnection): void {
    connection.resumeOn(this);
    this.attach(new Link(this, connection));
  }

  /** The client sends one record for each message. */
  send(...messages: readonly unknown[]): void {
    for (const message of messages) this.#listener?.receive(`${JSON.stringify(message)}\x1e`);
  }

  /** The client sends text as it is. */
  sendText(text: string): void {
    this.#listener?.receive(text);
  }

  /** The client is gone. */
  vanish(): void {
    this.#listener?.pipeClosed();
  }

  /** The socket is cut: the client went without a word. */
  cut(): void {
    this.#listener?.pipeClosed(true);
  }

  /** The next record that the hub has written, parsed. */
  async next(): Promise<unknown> {
    return JSON.parse(await this.#records.next());
  }

  /** Every record so far, parsed. */
  get records(): unknown[] {
    return this.#records.all.map((record) => JSON.parse(record));
  }
}

/** Lets everything that is at hand happen: promises, and the end of the turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
