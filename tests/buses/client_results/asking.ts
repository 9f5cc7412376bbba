import type {
  Backplane,
  HubContext,
  HubServer,
  HubServerOptions,
  InvokeOptions,
} from "../../../mod.ts";
import { defineHub } from "../../../mod.ts";
import { RunningNode } from "../../kit/running_node.ts";
import { PROTOCOLS, SignalRClient } from "../../kit/signalr_client.ts";
import { Events } from "../../kit/wait.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import type { Host } from "../../kit/servers/hosts.ts";
import { randomPrefix } from "../../kit/wait.ts";
import { type Bus, BUSES } from "../scaleout/buses.ts";

/** What the clients of these tests can be asked. */
export interface AskedClient {
  answer(value: unknown): unknown;
}

type Context = HubContext<AskedClient>;

/** The hub of every node. */
export const askingHub = defineHub({
  methods: { echo: (_context: Context, value: unknown) => value },
});

type Hubs = { readonly "/hub": typeof askingHub };

/** A running node whose clients can be asked. */
export async function startNode(
  backplane: Backplane,
  host: Host,
  options: HubServerOptions = {},
): Promise<RunningNode<Hubs>> {
  const configuration = { ...options, hubs: { "/hub": askingHub }, backplane };
  const node = await RunningNode.start(configuration, host);
  await node.server.ready;
  return node;
}

/** Asks a client of any node. */
export function ask(
  node: { readonly server: HubServer<Hubs> },
  id: string,
  value: unknown,
  options: InvokeOptions = {},
): Promise<unknown> {
  return node.server.hub("/hub").clients.client(id).with(options).invoke("answer", value);
}

/** An official client that answers what it is asked. */
export class AnsweringClient implements AsyncDisposable {
  /** What it was asked. */
  readonly asked: Events<unknown> = new Events();
  readonly #client: SignalRClient;
  readonly id: string;

  private constructor(client: SignalRClient, answer?: (value: unknown) => unknown) {
    this.#client = client;
    this.id = client.id;
    if (answer === undefined) return;
    client.connection.on("answer", (value: unknown) => {
      this.asked.add(value);
      return answer(value);
    });
  }

  /** Connects; resolves when every node reaches it. Without `answer` it has no such method. */
  static async connect(
    url: string,
    protocol: (typeof PROTOCOLS)[number],
    answer?: (value: unknown) => unknown,
  ): Promise<AnsweringClient> {
    const client = await SignalRClient.connect(url, { protocol });
    // The handshake is answered before the bus has confirmed; an invocation, only after.
    await client.invoke("echo", "ready");
    return new AnsweringClient(client, answer);
  }

  /** Leaves. */
  async stop(): Promise<void> {
    await this.#client.connection.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

/** A node and the one that asks: the same, or another. */
export interface Place {
  /** The node that asks. */
  readonly asking: RunningNode<Hubs>;
  /** The URL of the asked client's node. */
  readonly url: string;
  /** Whether they are two. */
  readonly remote: boolean;
  readonly protocol: (typeof PROTOCOLS)[number];
  /** Where the case takes place, for messages. */
  readonly name: string;
}

/** A test for each bus and server, which tries both places and both protocols. */
export function onEachBus(
  name: string,
  run: (place: Place, driver: string) => Promise<void>,
  drivers: readonly string[] = ["memory", "redis", "nats"],
): Deno.TestDefinition[] {
  return drivers.flatMap((driver) =>
    onEachServer(`${name} (${driver})`, async (_serve, host) => {
      await using bus = await startBus(driver);
      const prefix = randomPrefix();
      await using one = await startNode(await bus.open(prefix), host);
      await using two = await startNode(await bus.open(prefix), host);
      for (const remote of [false, true]) {
        for (const protocol of PROTOCOLS) {
          const url = (remote ? two : one).url("/hub");
          const where = remote ? "another node" : "the same node";
          await run({ asking: one, url, remote, protocol, name: `${protocol}, ${where}` }, driver);
        }
      }
    })
  );
}

/** Starts what a driver needs. */
export async function startBus(driver: string): Promise<Bus> {
  const start = BUSES[driver];
  if (start === undefined) throw new Error(`Cannot start bus: ${driver} is not known`);
  return await start();
}

/** How a promise ends: with a value, or the name and text of an error. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await promise };
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}
