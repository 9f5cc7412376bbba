import type { MoveMessage } from "../../../../hub/bus/move_messages.ts";
import { Simulation } from "../../bus/farm/simulation.ts";
import { FarmClient } from "./farm_client.ts";
import { FarmNode } from "./farm_node.ts";
import { FarmSocket } from "./farm_socket.ts";

/** Faults and events of one run; control messages are counted from 0. */
export interface Scenario {
  readonly seed: number;
  readonly nodes: number;
  /** When each of the first nodes begins to drain. */
  readonly drains: readonly number[];
  /** When the client's socket is cut. */
  readonly cuts: readonly number[];
  /** Which control messages are lost, and which come twice. */
  readonly lost: readonly number[];
  readonly doubled: readonly number[];
  /** With which control messages the client's socket is cut. */
  readonly cutWith: readonly number[];
  /** With which control message which node dies. */
  readonly death: readonly [message: number, node: number] | undefined;
  /** How often a home says that a call runs. */
  readonly busy: number;
}

/** What a run came to. */
export interface Outcome {
  readonly faults: readonly string[];
  /** Whether the client was refused although no node has died. */
  readonly refusedAlive: boolean;
  /** How many states were given up. */
  readonly lost: number;
  readonly moves: number;
  readonly trace: readonly string[];
}

/** When messages end, and when everything has settled. */
const LAST_MESSAGE = 7000;
const END = 45_000;

/** Nodes, one client whose connection moves between them, and the group that the client is in. */
export class World {
  readonly simulation: Simulation;
  readonly scenario: Scenario;
  readonly nodes: FarmNode[] = [];
  readonly faults: string[] = [];
  readonly client: FarmClient;
  /** The client's calls that were handled, and how many messages were published to the group. */
  readonly handled: number[] = [];
  published = 0;
  lost = 0;
  moves = 0;
  #messages = 0;

  constructor(scenario: Scenario, traced = false) {
    this.scenario = scenario;
    this.simulation = new Simulation(scenario.seed, traced);
    for (let index = 0; index < scenario.nodes; index++) {
      this.nodes.push(new FarmNode(this, `N${index}`));
    }
    this.client = new FarmClient(this);
  }

  run(): Outcome {
    const { simulation, scenario, client } = this;
    const [first] = this.nodes;
    if (first === undefined) throw new Error("Cannot run: there is no node");
    const socket = new FarmSocket(this, first);
    client.socket = socket;
    first.begin({ sent: 0, kept: [], received: 0, group: 0 }, socket);
    for (let time = 100; time < LAST_MESSAGE; time += 70) {
      simulation.at(time, () => this.#publish());
      simulation.at(time + 31, () => client.send());
    }
    for (const [index, time] of scenario.drains.entries()) {
      simulation.at(time, () => this.nodes[index]?.drain());
    }
    for (const time of scenario.cuts) simulation.at(time, () => client.cut());
    simulation.run(END);
    this.#judge();
    const died = this.nodes.some(({ host }) => host.dead);
    return {
      faults: this.faults,
      refusedAlive: client.refused && !died,
      lost: this.lost,
      moves: this.moves,
      trace: simulation.trace ?? [],
    };
  }

  /** A control message: to one node, or to those that hear the channel of the connection. */
  post(from: FarmNode, to: FarmNode | undefined, message: MoveMessage): void {
    const { simulation, scenario } = this;
    const count = this.#messages++;
    simulation.log(() => `[${count}] ${from.name} → ${to?.name ?? "channel"}: ${message.kind}`);
    if (scenario.cutWith.includes(count)) this.client.cut();
    if (!scenario.lost.includes(count)) {
      const copies = scenario.doubled.includes(count) ? 2 : 1;
      const receivers = to ? [to] : this.nodes.filter((node) => node.hears && node !== from);
      for (const node of receivers) {
        for (let copy = 0; copy < copies; copy++) {
          // A second copy may come long after the first.
          const delay = 1 + simulation.dice.below(copy === 0 ? 60 : 30_000) / 10;
          node.host.after(delay, () => node.receive(message));
        }
      }
    }
    if (scenario.death?.[0] === count) this.nodes[scenario.death[1]]?.die();
  }

  /** A node that takes connections, other than one. */
  stays(except: FarmNode): FarmNode | undefined {
    return this.nodes.find((node) => node !== except && !node.host.dead && !node.draining);
  }

  #publish(): void {
    const number = ++this.published;
    for (const node of this.nodes) node.host.after(2, () => node.hear(number));
  }

  #judge(): void {
    const { client, faults, handled, published } = this;
    const homes = this.nodes.filter(({ isHome, host }) => isHome && !host.dead).length;
    if (client.refused && homes > 0) faults.push("the client was refused, and a home remains");
    if (!client.refused && homes !== 1) faults.push(`there are ${homes} homes`);
    const calls = handled.findIndex((number, index) => number !== index + 1);
    if (calls >= 0) faults.push(`call ${calls + 1} is ${handled[calls]}`);
    const heard = client.heard.findIndex((number, index) => number !== index + 1);
    if (heard >= 0) faults.push(`message ${heard + 1} is ${client.heard[heard]}`);
    if (client.refused) return;
    if (handled.length !== client.sent) faults.push(`${handled.length} calls of ${client.sent}`);
    if (client.heard.length !== published) {
      faults.push(`${client.heard.length} messages of ${published}`);
    }
  }
}
