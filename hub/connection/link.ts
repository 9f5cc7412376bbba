import type { TextOrBytes } from "../protocol/frame.ts";
import type { HubConnection } from "./connection.ts";
import type { Pipe, PipeListener } from "./pipe.ts";

/** What a {@link Link} and its transport need of a connection. */
export type LinkedConnection = Pick<
  HubConnection,
  "receive" | "pipeClosed" | "isStateful" | "resumeOn"
>;

/** A pipe and the connection that it belongs to. A client that comes back brings another link. */
export class Link implements PipeListener {
  readonly #pipe: Pipe;
  readonly #connection: LinkedConnection;

  constructor(pipe: Pipe, connection: LinkedConnection) {
    this.#pipe = pipe;
    this.#connection = connection;
  }

  receive(chunk: TextOrBytes): void {
    this.#connection.receive(this.#pipe, chunk);
  }

  pipeClosed(vanished = false): void {
    this.#connection.pipeClosed(this.#pipe, vanished);
  }
}
