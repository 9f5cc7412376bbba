import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { Child } from "../../kit/child.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";

const APP = new URL("parallel_app.ts", import.meta.url).href;

/** So many that by chance alone all of them would reach one worker once in half a million runs. */
const CLIENTS = 20;

/** The app under `deno serve --parallel`; both workers of it serve. */
class ParallelApp implements AsyncDisposable {
  readonly url: string;
  readonly #process: Child;

  private constructor(process: Child, port: string) {
    this.#process = process;
    this.url = `http://127.0.0.1:${port}/hub`;
  }

  static async start(): Promise<ParallelApp> {
    // How many workers there are; else as many as the machine has cores.
    Deno.env.set("DENO_JOBS", "2");
    const process = Child.start(
      ...["serve", "--parallel", "--no-lock", "--allow-net", "--host", "127.0.0.1", "--port", "0"],
      APP,
    );
    Deno.env.delete("DENO_JOBS");
    const [, port = ""] = await process.until(/Listening on http:\S+?:(\d+)/);
    const app = new ParallelApp(process, port);
    const workers = new Set<string>();
    for (let attempt = 0; workers.size < 2; attempt++) {
      assert(attempt < 1000, "one of the workers does not serve");
      await using client = await app.connect();
      workers.add(await client.connection.invoke("worker"));
      await delay(10);
    }
    return app;
  }

  /** A client that does not negotiate. */
  connect(): Promise<SignalRClient> {
    return SignalRClient.connect(this.url, { skipNegotiation: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

Deno.test("under deno serve --parallel clients that do not negotiate reach each other", async () => {
  await using app = await ParallelApp.start();
  await using stack = new AsyncDisposableStack();
  const clients: SignalRClient[] = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(stack.use(await app.connect()));
  const workers = await Promise.all(
    clients.map(({ connection }) => connection.invoke<string>("worker")),
  );
  assertEquals(new Set(workers).size, 2);
  await clients[0]?.connection.invoke("shout", "hello");
  for (const client of clients) assertEquals(await client.got.next(), ["hello"]);
});

Deno.test("under deno serve --parallel clients over WebSockets negotiate with any worker", async () => {
  await using app = await ParallelApp.start();
  for (let i = 0; i < CLIENTS; i++) {
    await using client = await SignalRClient.connect(app.url);
    assert(await client.connection.invoke<string>("worker"));
  }
});
