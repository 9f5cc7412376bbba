/**
 * Every node is replaced, one after the other, while official clients that may come back talk: they notice
 * nothing. The balancer knows no stickiness. The nodes are served by `listen()`, which can cut a socket off.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { acknowledged } from "../../kit/acknowledged.ts";
import { Child } from "../../kit/child.ts";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { freePort } from "../../kit/servers/server_process.ts";
import { sized } from "../../kit/sizes.ts";
import { until } from "../../kit/wait.ts";
import { Balancer } from "./balancer.ts";

const NODES = 3;
const CLIENTS = sized(10, 100);
const ROUNDS = sized(1, 2);
const SENDERS = 3;
/** The pause between two messages of a sender, and between two calls of a client, in milliseconds. */
const PAUSE = 60;

/** A client, with all that it has heard and that has happened to it. */
class Talker {
  readonly name: string;
  readonly connection: HubConnection;
  readonly events: string[] = [];
  readonly heard = new Map<string, number[]>();
  readonly wrong: string[] = [];
  #counted = 0;

  constructor(index: number, port: number, sockets: ClientSockets) {
    this.name = `client${index}`;
    const builder = new HubConnectionBuilder()
      .withUrl(`http://127.0.0.1:${port}/hub?user=${this.name}`, {
        transport: HttpTransportType.WebSockets,
        ...sockets,
      })
      .withStatefulReconnect()
      .withAutomaticReconnect()
      .configureLogging(LogLevel.None);
    if (index % 2 === 1) builder.withHubProtocol(new MessagePackHubProtocol());
    this.connection = builder.build();
    this.connection.on("heard", (from: string, number: number) => {
      const heard = this.heard.get(from) ?? [];
      this.heard.set(from, heard);
      heard.push(number);
    });
    this.connection.onreconnecting(() => this.events.push("reconnecting"));
    this.connection.onreconnected(() => this.events.push("reconnected"));
    this.connection.onclose(() => this.events.push("closed"));
  }

  async start(): Promise<void> {
    await this.connection.start();
    await this.connection.invoke("join", "room");
  }

  /** Calls a method that knows how often this connection has called it. */
  async call(): Promise<void> {
    try {
      const [sum, count] = await Promise.all([
        this.connection.invoke<number>("add", this.#counted, 1),
        this.connection.invoke<number>("count"),
      ]);
      const expected = ++this.#counted;
      if (sum !== expected || count !== expected) {
        this.wrong.push(`${expected}: ${sum}, ${count}`);
      }
    } catch (error) {
      this.wrong.push(String(error));
    }
  }
}

/** Does something again and again until the result is disposed, which waits for the last time. */
function always(action: () => Promise<unknown>): AsyncDisposable {
  let ended = false;
  const run = async () => {
    while (!ended) {
      await action();
      await delay(PAUSE);
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      ended = true;
      await running;
    },
  };
}

/** Starts a node and brings it clients. */
async function startNode(port: number, bus: string, balancer: Balancer) {
  const program = new URL("./rolling_node.ts", import.meta.url).pathname;
  const node = Child.start(
    ...["run", "--no-prompt", "--no-check", "--allow-net", "--allow-env", "--allow-read"],
    ...["--allow-sys", program, `${port}`, bus],
  );
  await node.until(/ready/);
  balancer.add(port);
  return node;
}

async function roll(bus: string): Promise<void> {
  await using balancer = new Balancer();
  await using nodes = new AsyncDisposableStack();
  const running: { node: Child; port: number }[] = [];
  for (let index = 0; index < NODES; index++) {
    const port = freePort();
    running.push({ node: await startNode(port, bus, balancer), port });
  }
  nodes.defer(async () => {
    for (const { node } of running) await node[Symbol.asyncDispose]();
  });
  const sockets = new ClientSockets();
  const talkers = Array.from({ length: CLIENTS }, (_, n) => new Talker(n, balancer.port, sockets));
  await Promise.all(talkers.map((talker) => talker.start()));
  const said = Array.from({ length: SENDERS }, () => 0);
  {
    await using talk = new AsyncDisposableStack();
    for (const talker of talkers) talk.use(always(() => talker.call()));
    for (const [index, talker] of talkers.slice(0, SENDERS).entries()) {
      talk.use(always(async () => {
        const number = said[index] = (said[index] ?? 0) + 1;
        await talker.connection.invoke("say", "room", talker.name, number)
          .catch((error) => talker.wrong.push(`say ${number}: ${error}`));
      }));
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const one of running) {
        await delay(500);
        balancer.remove(one.port);
        const { code } = await one.node.end("SIGTERM");
        assertEquals(code, 0, one.node.text);
        one.node = await startNode(one.port, bus, balancer);
      }
    }
    await delay(500);
  }
  const whole = said.map((count) => Array.from({ length: count }, (_, index) => index + 1));
  assert(said.every((count) => count > 10), `${said}`);
  const expected = Object.fromEntries(whole.map((numbers, n) => [`client${n}`, numbers]));
  const complete = () =>
    talkers.every(({ heard }) =>
      whole.every((numbers, n) => (heard.get(`client${n}`)?.length ?? 0) >= numbers.length)
    );
  await until(complete).catch(() => {});
  for (const { name, wrong, events, heard } of talkers) {
    assertEquals([name, events, wrong], [name, [], []]);
    assertEquals(Object.fromEntries(heard), expected, name);
  }
  await Promise.all(talkers.map(({ connection }) => connection.stop()));
  await sockets.closed();
  await acknowledged();
}

Deno.test("no client notices that each node is replaced, over Redis", async () => {
  await using redis = await startRedis();
  await roll(redisUrl(redis, "rolling:"));
});

Deno.test("no client notices that each node is replaced, over NATS", async () => {
  await using nats = await startNats();
  await roll(natsUrl(nats, "rolling."));
});
