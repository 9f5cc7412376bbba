/**
 * Connections that move at any time between nodes that hear late, or lose messages on the bus.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ConnectionState } from "../../../hub/moves/connection_state.ts";
import type { HubContext } from "../../../mod.ts";
import { settle } from "../../kit/pipe.ts";
import { seeded, withSeed } from "../../kit/random.ts";
import type { MovingClient } from "./moving_client.ts";
import { type FarmNode, MovingFarm } from "./moving_farm.ts";

/** How many farms are tried: more where time does not matter. */
const ROUNDS = Deno.env.get("HUBPLANE_FULL") === "1" ? 2000 : 40;
const NODES = 3;
const TARGETS = ["group", "user", "connection", "all"] as const;
/** How long a step takes, and how many there are between two signs of life and in the longest lag. */
const STEP = 20;
const SIGNS = 50;
const LONGEST_LAG = 15;

/** One farm, with a client that moves and another one that stays where it is. */
class Trial implements AsyncDisposable {
  readonly #random: () => number;
  readonly #farm: MovingFarm;
  readonly #client: MovingClient;
  readonly #called: unknown[];
  /** The node that has the connection; while it has none, the state is on its way. */
  #home: FarmNode | undefined;
  #state: ConnectionState | undefined;
  /** Whether the client has no pipe. */
  #cut = false;
  readonly #sent: string[] = [];
  readonly #lags: number[] = Array(NODES).fill(0);
  #calls = 0;
  moves = 0;

  constructor(farm: MovingFarm, client: MovingClient, called: unknown[], random: () => number) {
    this.#farm = farm;
    this.#client = client;
    this.#called = called;
    this.#random = random;
    this.#home = farm.node(0);
  }

  static async start(random: () => number): Promise<Trial> {
    const called: unknown[] = [];
    const methods = {
      say: (_context: HubContext<never>, text: unknown) => void called.push(text),
    };
    const farm = await MovingFarm.start(NODES, { methods });
    const client = await farm.connect(0, "c1", "ann");
    // Some channels of the newcomer have a member at its new home already.
    await farm.connect(1, "c2", "ann");
    await farm.node(0).groups.add("c1", "g");
    await farm.node(1).groups.add("c2", "g");
    // What is lost shortly after a join is reported and not repaired, if its sender answers late.
    await farm.pass(1000);
    return new Trial(farm, client, called, random);
  }

  /** Does a few things in one step. */
  async step(index: number): Promise<void> {
    for (let count = this.#below(3); count > 0; count--) this.#act(index);
    if (this.#below(2) === 0) await settle();
    for (const node of this.#farm.nodes) node.clock.advance(STEP);
    if (index % SIGNS === 0) { for (const node of this.#farm.nodes) node.advance(0); }
    for (const [at, node] of this.#farm.nodes.entries()) {
      if (!node.backplane.lags) continue;
      if (--(this.#lags[at] as number) > 0) node.backplane.release(this.#below(4));
      else this.#hear(node);
    }
  }

  /** Ends all faults, and judges what the client and the hub have heard. */
  async end(): Promise<void> {
    for (const node of this.#farm.nodes) {
      this.#hear(node);
      node.backplane.loses = () => false;
    }
    await settle();
    this.#arrive();
    await this.#farm.pass(4000);
    assert(!this.#client.connection.isClosed, "the connection was closed");
    if (this.#cut) this.#client.peer.comeBack();
    await settle();
    this.#client.peer.handle();
    const heard = this.#client.peer.heard as string[];
    for (let node = 0; node < NODES; node++) {
      for (const target of TARGETS) {
        const of = (texts: string[]) =>
          texts.filter((text) => text.startsWith(`${node} ${target}`));
        assertEquals(of(heard), of(this.#sent));
      }
    }
    assertEquals(heard.length, this.#sent.length);
    assertEquals(this.#called, Array.from({ length: this.#calls }, (_, index) => index));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#farm[Symbol.asyncDispose]();
  }

  #act(step: number): void {
    const [index, { peer }] = [this.#below(NODES), this.#client];
    const node = this.#farm.node(index);
    switch (this.#below(10)) {
      case 0:
        if (this.#home !== undefined) return this.#leave(this.#home);
        return this.#arrive(node);
      case 1:
        return this.#cut ? this.#comeBack() : this.#lose();
      case 2:
        this.#lags[index] = this.#below(LONGEST_LAG);
        return void (node.backplane.lags = true);
      case 3: {
        let left = this.#below(3);
        node.backplane.loses = (channel) => !channel.startsWith("internal:") && left-- > 0;
        return;
      }
      case 4:
        if (this.#cut) return;
        peer.handle();
        return peer.acknowledge();
      case 5:
        return peer.send({ type: 1, target: "say", arguments: [this.#calls++] });
      default:
        return this.#send(node, index, `${step}.${this.#sent.length}`);
    }
  }

  #send({ clients }: FarmNode, index: number, name: string): void {
    const target = TARGETS[this.#below(TARGETS.length)] ?? "all";
    const text = `${index} ${target} ${name}`;
    this.#sent.push(text);
    const proxy = {
      group: clients.group("g"),
      user: clients.user("ann"),
      connection: clients.client("c1"),
      all: clients.all,
    }[target];
    void proxy.send("heard", text);
  }

  #leave(home: FarmNode): void {
    if (!this.#cut) this.#lose();
    this.#state = this.#client.leave(home);
    if (this.#state === undefined) return;
    this.#home = undefined;
    this.moves++;
  }

  #arrive(node: FarmNode = this.#farm.node(2)): void {
    if (this.#state === undefined || this.#client.join(node, this.#state) === undefined) return;
    this.#state = undefined;
    this.#home = node;
  }

  #lose(): void {
    this.#client.peer.handle(this.#below(2));
    this.#client.peer.cut(true);
    this.#cut = true;
  }

  #comeBack(): void {
    if (this.#home === undefined) return;
    this.#client.peer.comeBack();
    this.#cut = false;
  }

  #hear({ backplane }: FarmNode): void {
    backplane.lags = false;
    backplane.release();
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

Deno.test("a connection that moves loses and doubles nothing, whatever its nodes hear late or not", () =>
  withSeed(async (random) => {
    let moves = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const seed = Math.floor(random() * 2 ** 32);
      await using trial = await Trial.start(seeded(seed));
      try {
        for (let step = 1; step <= 150; step++) await trial.step(step);
        await trial.end();
      } catch (error) {
        throw new Error(`seed ${seed} of round ${round}: ${(error as Error).message}`);
      }
      moves += trial.moves;
    }
    assert(moves > 2 * ROUNDS, `only ${moves} moves`);
  }));
