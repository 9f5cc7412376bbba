import { assert, assertEquals } from "@std/assert";
import { bounded } from "../../kit/wait.ts";
import { jsonRecords, type WireRecord } from "./records.ts";

/** The records of an event stream, as they come. */
export class EventRecords {
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #records: WireRecord[] = [];
  #text = "";

  constructor(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Compares a piece of a stream; servers may join its records with others, or split them. */
  async compare(chunk: string): Promise<void> {
    const comment = ":\r\n";
    const expected = chunk.startsWith(comment) ? chunk.slice(comment.length) : chunk;
    if (expected !== chunk) {
      while (this.#text.length < comment.length) assert(await this.#more(), "the stream has ended");
      assertEquals(this.#text.slice(0, comment.length), comment);
      this.#text = this.#text.slice(comment.length);
    }
    for (const record of eventRecords(expected).records) {
      assertEquals(await this.#next(), record);
    }
  }

  /** Fails if anything comes before the end of the stream. */
  async ended(): Promise<void> {
    while (await this.#more());
    assertEquals([this.#records, this.#text], [[], ""]);
  }

  /** Breaks the stream off. */
  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }

  async #next(): Promise<WireRecord> {
    for (;;) {
      const record = this.#records.shift();
      if (record !== undefined) return record;
      assert(await this.#more(), "the stream has ended");
      const { records, rest } = eventRecords(this.#text);
      this.#records.push(...records);
      this.#text = rest;
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await bounded(this.#reader.read());
    this.#text += value ?? "";
    return !done;
  }
}

/** The records of whole events, and what is left. */
function eventRecords(text: string): { records: WireRecord[]; rest: string } {
  const events = text.split("\r\n\r\n");
  const rest = events.pop() ?? "";
  const records = events.flatMap((event) => {
    assert(event.startsWith("data: "), event);
    return jsonRecords(event.slice("data: ".length));
  });
  return { records, rest };
}
