import type { HubConnection } from "../../hub/connection/connection.ts";
import { Link } from "../../hub/connection/link.ts";
import type { Pipe } from "../../hub/connection/pipe.ts";
import type { Frame } from "../../hub/protocol/frame.ts";
import type { LiveHub } from "../../hub/serving/live_hub.ts";
import type { HubUser } from "../../mod.ts";
import { bounded, Events } from "./wait.ts";

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

/** A client without a socket: the far end of a connection's pipe. */
export class PipeClient implements Pipe {
  /** Whether the client does not read: what is written stays unsent and is not heard. */
  stuck = false;
  bufferedBytes = 0;
  readonly id: string;
  /** What the server called: the method, then its arguments. */
  readonly heard: Events<readonly unknown[]> = new Events<readonly unknown[]>();
  /** The Close messages. */
  readonly closed: Events<HubRecord> = new Events<HubRecord>();
  readonly #connection: HubConnection;
  readonly #link: Link;
  readonly #completions = new Events<HubRecord>();
  #invocations = 0;

  /** Opens a connection and shakes hands. The hub knows it when this returns. */
  constructor(hub: LiveHub, id: string, userId?: string) {
    this.id = id;
    const user: HubUser | undefined = userId === undefined ? undefined : { id: userId };
    const request = { url: "http://localhost/hub", headers: new Headers() };
    this.#connection = hub.connect(this, { id, user, request });
    this.#link = new Link(this, this.#connection);
    this.#link.receive('{"protocol":"json","version":1}\x1e');
  }

  write(frames: Frame): void {
    const text = new TextDecoder().decode(frames.bytes);
    if (this.stuck) {
      this.bufferedBytes += text.length;
      return;
    }
    for (const record of text.split("\x1e").filter((record) => record !== "")) {
      this.#read(JSON.parse(record));
    }
  }

  close(): void {
    this.#link?.pipeClosed();
  }

  terminate(): void {}
  pause(): void {}
  resume(): void {}

  /** The texts of the `heard` calls. */
  get texts(): unknown[] {
    return this.heard.all.map(([, text]) => text);
  }

  /** Calls a hub method; rejects with the text that a client would see. */
  async invoke(target: string, ...args: readonly unknown[]): Promise<unknown> {
    const invocationId = String(++this.#invocations);
    this.#link.receive(
      JSON.stringify({ type: 1, invocationId, target, arguments: args }) + "\x1e",
    );
    const completion = await this.#completions.find((one) => one.invocationId === invocationId);
    if (completion.error !== undefined) throw new Error(completion.error);
    return completion.result;
  }

  /** The socket is gone. Resolves when the hub has dealt with that. */
  async leave(): Promise<void> {
    this.#link.pipeClosed();
    await bounded(this.#connection.finished, "the end of a connection");
  }

  /** Resolves when the connection has ended and the hub has dealt with that. */
  get finished(): Promise<void> {
    return bounded(this.#connection.finished, "the end of a connection");
  }

  #read(record: HubRecord): void {
    if (record.type === 1) this.heard.add([record.target, ...record.arguments ?? []]);
    else if (record.type === 3) this.#completions.add(record);
    else if (record.type === 7) this.closed.add(record);
  }
}
