import { setImmediate } from "node:timers";
import type { HubConnection } from "../../hub/connection/connection.ts";
import { Link } from "../../hub/connection/link.ts";
import type { Pipe, PipeListener } from "../../hub/connection/pipe.ts";
import type { LiveHub } from "../../hub/serving/live_hub.ts";
import type { HubUser } from "../../mod.ts";
import type { Frame } from "../../hub/protocol/frame.ts";
import { bounded, Events } from "./wait.ts";

/** The end of a pipe: with a close code, or without. */
export type PipeEnd = number | "terminated" | "dropped";

/** A transport without a network: keeps what the hub writes, and says what the test tells it to. */
export class MemoryPipe implements Pipe {
  /** What the transport has not sent yet; a test sets it. */
  bufferedBytes = 0;
  /** Whether the client has begun to close the pipe; a test sets it. */
  closing = false;
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
    for (const record of text.split("\x1e").slice(0, -1)) {
      this.#records.add(record);
      this.hear(record);
    }
  }

  close(code: number): void {
    if (this.ends.length === 0) this.ends.push(code);
  }

  terminate(): void {
    this.ends.push("terminated");
  }

  /** Drops the pipe; a test takes this away from a transport that cannot. */
  drop?(): void {
    this.ends.push("dropped");
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

  /** The hub has written a record. */
  protected hear(_record: string): void {}
}

/** Lets everything that is at hand happen: promises, and the end of the turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** The records of the hub protocol that these tests look at. */
interface HubRecord {
  readonly type?: number;
  readonly target?: string;
  readonly arguments?: readonly unknown[];
  readonly invocationId?: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly allowReconnect?: boolean;
}

/** A client without a socket, which shakes hands and hears what it is told. */
export class PipeClient extends MemoryPipe {
  readonly id: string;
  /** What the server called: the method, then its arguments. */
  readonly heard: Events<readonly unknown[]> = new Events<readonly unknown[]>();
  /** The Close messages. */
  readonly closed: Events<HubRecord> = new Events<HubRecord>();
  readonly #connection: HubConnection;
  readonly #completions = new Events<HubRecord>();
  #invocations = 0;

  /** Opens a connection and shakes hands. The hub knows it when this returns. */
  constructor(hub: LiveHub, id: string, userId?: string) {
    super();
    this.id = id;
    const user: HubUser | undefined = userId === undefined ? undefined : { id: userId };
    const request = { url: "http://localhost/hub", headers: new Headers() };
    this.#connection = hub.connect(this, { id, user, request });
    this.attach(new Link(this, this.#connection));
    this.send({ protocol: "json", version: 1 });
  }

  override close(code: number): void {
    super.close(code);
    this.vanish();
  }

  /** The texts of the `heard` calls. */
  get texts(): unknown[] {
    return this.heard.all.map(([, text]) => text);
  }

  /** Calls a hub method; rejects with the text that a client would see. */
  async invoke(target: string, ...args: readonly unknown[]): Promise<unknown> {
    const invocationId = String(++this.#invocations);
    this.send({ type: 1, invocationId, target, arguments: args });
    const completion = await this.#completions.find(
      (one) => one.invocationId === invocationId,
      `the completion of ${target}`,
    );
    if (completion.error !== undefined) throw new Error(completion.error);
    return completion.result;
  }

  /** The socket is gone. Resolves when the hub has dealt with that. */
  async leave(): Promise<void> {
    this.vanish();
    await this.finished;
  }

  /** Resolves when the connection has ended and the hub has dealt with that. */
  get finished(): Promise<void> {
    return bounded(this.#connection.finished, "the end of a connection");
  }

  protected override hear(text: string): void {
    if (this.stuck) return;
    const record: HubRecord = JSON.parse(text);
    if (record.type === 1) this.heard.add([record.target, ...record.arguments ?? []]);
    else if (record.type === 3) this.#completions.add(record);
    else if (record.type === 7) this.closed.add(record);
  }
}
