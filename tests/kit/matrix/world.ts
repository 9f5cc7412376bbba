/**
 * Where a case of the matrix takes place. Everything here also runs in a page.
 *
 * @module
 */
import { HttpTransportType } from "@microsoft/signalr";
import { type ClientOptions, type Release, SignalRClient } from "../signalr_client.ts";
import type { GateQuery } from "./gate.ts";

/** The name of a transport. */
export type TransportName = "WebSockets" | "ServerSentEvents" | "LongPolling";

/** A transport with a hub protocol that it can carry. */
export interface Combination {
  readonly transport: TransportName;
  readonly protocol: "json" | "messagepack";
}

/** Every combination; events carry text alone. */
export const COMBINATIONS: readonly Combination[] = [
  { transport: "WebSockets", protocol: "json" },
  { transport: "WebSockets", protocol: "messagepack" },
  { transport: "ServerSentEvents", protocol: "json" },
  { transport: "LongPolling", protocol: "json" },
  { transport: "LongPolling", protocol: "messagepack" },
];

/** The name of a combination. */
export function nameOf({ transport, protocol }: Combination): string {
  return `${transport}, ${protocol}`;
}

/** A way back may be found at once or, on a busy machine, a little later. */
export const RECONNECT_DELAYS = [0, 50, 100, 300, 1000, 3000];

/** What a case depends on; it can be handed to a page. */
export interface Place extends Combination {
  /** What the client runs in. */
  readonly runtime: "deno" | "browser";
  /** The URL of the hub on the node of most clients. */
  readonly near: string;
  /** The same on another node where there is one. */
  readonly far: string;
}

/** Whether a place has two nodes, of which the far one is not reached through the line of the near. */
export function hasTwoNodes({ near, far }: Place): boolean {
  return near !== far;
}

/** The network between the clients of a case and the near node. */
export interface Line {
  /** Cuts everything. */
  cut(): void | Promise<void>;
  /** Cuts everything, and everyone who comes. */
  interrupt(): void | Promise<void>;
  /** Lets everyone through again. */
  restore(): void | Promise<void>;
}

/** How a client of a case connects. */
export interface WorldOptions extends Omit<ClientOptions, "transport" | "protocol" | "release"> {
  /** The transports that it may use; the one of the case unless told otherwise. */
  readonly transports?: readonly TransportName[];
  /** The node; the near one unless told otherwise. */
  readonly node?: "near" | "far";
  /** How the server is to treat it. */
  readonly query?: GateQuery;
}

/** What a case gets: its place, and clients that are stopped when it ends. */
export class World implements AsyncDisposable {
  readonly place: Place;
  /** A name that nothing else has. */
  readonly tag: string = crypto.randomUUID();
  readonly #line: Line;
  readonly #release: Release | undefined;
  readonly #clients = new AsyncDisposableStack();

  constructor(place: Place, line: Line, release?: Release) {
    this.place = place;
    this.#line = line;
    this.#release = release;
  }

  /** The URL of the hub. */
  url(query: GateQuery = {}, node: "near" | "far" = "near"): string {
    return `${this.place[node]}?${new URLSearchParams({ ...query })}`;
  }

  /** A client that has not connected. */
  make(options: WorldOptions = {}): SignalRClient {
    const { query = {}, node, transports = [this.place.transport], ...rest } = options;
    const client = SignalRClient.make(this.url({ tag: this.tag, ...query }, node), {
      ...rest,
      protocol: this.place.protocol,
      transport: transports.reduce<number>((bits, name) => bits | HttpTransportType[name], 0),
      ...(this.#release === undefined ? {} : { release: this.#release }),
    });
    return this.#clients.use(client);
  }

  /** A client that has connected. */
  async connect(options: WorldOptions = {}): Promise<SignalRClient> {
    const client = this.make(options);
    await client.start();
    return client;
  }

  /** Cuts every connection with the near node. A poll that is cut is sent again, and nobody notices. */
  async cut(): Promise<void> {
    await this.#line.cut();
  }

  /** Cuts every connection with the near node, and lets none through before `until` has resolved. */
  async outage(until: () => Promise<unknown>): Promise<void> {
    await this.#line.interrupt();
    try {
      await until();
    } finally {
      await this.#line.restore();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clients.disposeAsync();
  }
}

/** A case of the matrix, written once for every place. */
export interface Case {
  /** What it shows. */
  readonly name: string;
  /** Whether it makes sense in a place; everywhere unless told otherwise. */
  readonly fits?: (place: Place) => boolean;
  /** Shows it, or throws. */
  run(world: World): Promise<void>;
}

/** How a case came out. */
export interface Outcome {
  readonly name: string;
  /** What went wrong. */
  readonly error?: string;
}

/** Runs `cases` one after the other, each in a world of its own. */
export async function runCases(
  cases: readonly Case[],
  place: Place,
  line: Line,
  release?: Release,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name, fits, run } of cases) {
    if (fits?.(place) === false) continue;
    let error: string | undefined;
    try {
      await using world = new World(place, line, release);
      await run(world);
    } catch (thrown) {
      error = thrown instanceof Error ? `${thrown.stack ?? thrown}` : String(thrown);
    }
    outcomes.push({ name, ...(error === undefined ? {} : { error }) });
  }
  return outcomes;
}
