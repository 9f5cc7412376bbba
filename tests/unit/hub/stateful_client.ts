import type { CoreClient } from "../../kit/hub_core.ts";
import { MemoryPipe } from "../../kit/pipe.ts";

/** A record of the JSON protocol. */
export interface Received {
  readonly type: number;
  readonly sequenceId?: number;
  readonly arguments?: readonly unknown[];
}

const isCounted = (type: number) => type < 6;

/**
 * The client's half of a stateful reconnect, as the official one does it, with sockets that the test
 * cuts wherever it likes.
 */
export class StatefulClient {
  /** The arguments of what the server called, each once and in order if all is well. */
  readonly heard: unknown[] = [];
  readonly #client: CoreClient;
  readonly #unacknowledged: { readonly id: number; readonly text: string }[] = [];
  #pipe: MemoryPipe;
  #sent = 0;
  #read = 0;
  #next = 1;
  #latest = 0;
  #silent = false;

  constructor(client: CoreClient) {
    this.#client = client;
    this.#pipe = client.pipe;
    this.#read = client.pipe.records.length;
  }

  /** Sends a message that is counted; `reach` is how much of its text arrives before a cut. */
  send(message: unknown, reach = 1): void {
    const text = `${JSON.stringify(message)}\x1e`;
    this.#unacknowledged.push({ id: ++this.#sent, text });
    if (!this.#silent) this.#pipe.sendText(text.slice(0, Math.floor(text.length * reach)));
  }

  /** Handles what has come, but for the last `lost` records, which a cut has swallowed. */
  handle(lost = 0): void {
    const records = this.#pipe.records as Received[];
    const end = Math.max(this.#read, records.length - lost);
    for (const record of records.slice(this.#read, end)) this.#handle(record);
    this.#read = end;
  }

  /** Acknowledges what has come. */
  acknowledge(): void {
    this.#pipe.send({ type: 8, sequenceId: this.#latest });
  }

  /** The socket is cut; the server notices only if `noticed`. */
  cut(noticed: boolean): void {
    if (noticed) this.#pipe.cut();
    this.#silent = true;
  }

  /** Comes back on another socket; what the old one still brings must not count. */
  comeBack(): void {
    const old = this.#pipe;
    this.#pipe = new MemoryPipe();
    this.#read = 0;
    this.#silent = false;
    this.#pipe.returnTo(this.#client.connection);
    old.sendText('{"type":1,"target":"say","arguments":["ghost"]}\x1e');
    old.cut();
    const [first] = this.#unacknowledged;
    this.#pipe.send({ type: 9, sequenceId: first?.id ?? this.#sent + 1 });
    for (const { text } of this.#unacknowledged) this.#pipe.sendText(text);
  }

  #handle(record: Received): void {
    if (record.type === 8) {
      const id = record.sequenceId ?? 0;
      while (this.#unacknowledged[0] !== undefined && this.#unacknowledged[0].id <= id) {
        this.#unacknowledged.shift();
      }
    } else if (record.type === 9) this.#next = record.sequenceId ?? 0;
    else if (isCounted(record.type)) {
      const current = this.#next++;
      if (current <= this.#latest) return;
      this.#latest = current;
      if (record.type === 1) this.heard.push(record.arguments?.[0]);
    }
  }
}
