import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { type HubConnection, Subject } from "@microsoft/signalr";
import { defineHub, type HubContext, type HubServer } from "../../../mod.ts";
import { until } from "../../kit/wait.ts";

interface Client {
  echoed(text: string): void;
  news(text: string): void;
}

/** How long the client may be away, in milliseconds. */
const PATIENCE = 15_000;

/** What was said one way, at both ends. */
class Way {
  readonly sent: string[] = [];
  readonly heard: string[] = [];
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** Fails unless everything has arrived, once and in order. */
  check(): void {
    const { sent, heard } = this;
    const first = sent.findIndex((text, index) => text !== heard[index]);
    const [wanted, got] = [sent[first]?.slice(0, 20), heard[first]?.slice(0, 20)];
    assert(
      first === -1,
      `${this.#name}: message ${first} of ${sent.length} is ${got}, not ${wanted}`,
    );
    assertEquals(heard.length, sent.length, this.#name);
  }
}

/**
 * Everything that is counted, in both directions and all the time: calls, what they send back, messages
 * of another node, an upload and a stream.
 */
export class Conversation {
  readonly calls = new Way("what the hub was told");
  readonly echoes = new Way("what the client was answered");
  readonly news = new Way("what came from the other node");
  readonly items = new Way("what was uploaded");
  readonly ticks = new Way("what was streamed");
  /** Why the connection ended, as far as it did. */
  readonly ends: unknown[] = [];
  readonly #upload = new Subject<string>();
  readonly #random: () => number;
  #ticking = true;
  #ended = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The hub of the node that the client is connected to. */
  get hub() {
    const { calls, items, ticks } = this;
    const isTicking = () => this.#ticking;
    const ended = () => this.#ended++;
    return defineHub({
      name: "chat",
      methods: {
        async say({ clients }: HubContext<Client>, text: string) {
          calls.heard.push(text);
          await clients.caller.send("echoed", text);
        },
        async collect(_context: HubContext<Client>, texts: AsyncIterable<string>) {
          for await (const text of texts) items.heard.push(text);
          ended();
        },
        async *tick(_context: HubContext<Client>) {
          while (isTicking()) {
            const text = `${ticks.sent.length}`;
            ticks.sent.push(text);
            yield text;
            await delay(4);
          }
        },
      },
    });
  }

  /** Hears what comes to a client. */
  listen(connection: HubConnection): void {
    connection.on("echoed", (text: string) => this.echoes.heard.push(text));
    connection.on("news", (text: string) => this.news.heard.push(text));
    connection.onclose((error) => this.ends.push(error));
  }

  /** Begins the streams; the client has connected. */
  begin(connection: HubConnection): void {
    connection.send("collect", this.#upload).catch(() => {});
    connection.stream<string>("tick").subscribe({
      next: (text) => this.ticks.heard.push(text),
      complete: () => this.#ended++,
      error: (error) => this.ends.push(error),
    });
  }

  /** Goes on until `done` resolves, and the client has been answered since. */
  async goOn(
    connection: HubConnection,
    other: HubServer<{ "/chat": Conversation["hub"] }>,
    done: Promise<unknown>,
    answered: boolean,
  ): Promise<void> {
    let [over, first] = [false, Infinity];
    done.then(() => [over, first] = [true, answered ? this.echoes.sent.length : -1]);
    const last = performance.now() + PATIENCE;
    while (this.ends.length === 0 && !(over && this.echoes.heard.length > first)) {
      assert(performance.now() < last, "the client does not come back");
      const text = this.#text();
      this.calls.sent.push(text);
      this.echoes.sent.push(text);
      // An end is what the test fails for, and not that nothing can be sent after it.
      connection.send("say", text).catch(() => {});
      const news = this.#text();
      this.news.sent.push(news);
      other.hub("/chat").clients.all.send("news", news);
      this.items.sent.push(text);
      this.#upload.next(text);
      await delay(2);
    }
  }

  /** Ends the streams, and fails unless all that was said has arrived, once and in order. */
  async end(): Promise<void> {
    this.#ticking = false;
    this.#upload.complete();
    const ways = [this.calls, this.echoes, this.news, this.items, this.ticks];
    await until(() =>
      this.ends.length > 0 ||
      this.#ended === 2 && ways.every(({ heard, sent }) => heard.length >= sent.length)
    ).catch(() => {});
    assertEquals(this.ends, []);
    for (const way of ways) way.check();
  }

  /** Mostly short; some need a longer head of their frame. */
  #text(): string {
    const number = this.news.sent.length;
    return `${number} ${"x".repeat(this.#random() < 0.1 ? this.#random() * 2000 : 0)}`;
  }
}
