import { Bus } from "./bus.ts";
import { FarmNode } from "./farm_node.ts";
import { Judgement } from "./judgement.ts";
import type { Packet } from "./packet.ts";
import { CHANNELS, type Operation, type Scenario } from "./scenario.ts";
import { Host, Simulation } from "./simulation.ts";
import { Subscriber } from "./subscriber.ts";

/** How long a farm has after the last fault until everything is repaired or reported, in milliseconds. */
const AFTERWARDS = 12_000;

/** What a scenario came to. */
export interface Outcome {
  /** What is wrong with the code; empty if nothing is. */
  readonly faults: readonly string[];
  readonly trace: readonly string[];
  readonly sent: number;
  /** How many accepted messages members lack. */
  readonly lost: number;
  /** How often a node has reported that messages are missing, and how often one has asked. */
  readonly reports: number;
  readonly questions: number;
}

/** Plays a scenario, and compares what each member got with what it should have got. */
export class Run {
  readonly #scenario: Scenario;
  readonly #simulation: Simulation;
  readonly #bus: Bus;
  readonly #judgement: Judgement;
  /** The nodes by their index, and all that ever were. */
  readonly #nodes: FarmNode[] = [];
  readonly #all: FarmNode[] = [];

  /** `traced` keeps a line for each event. */
  constructor(scenario: Scenario, traced = false) {
    this.#scenario = scenario;
    const simulation = this.#simulation = new Simulation(scenario.seed, traced);
    this.#judgement = new Judgement(simulation);
    this.#bus = new Bus(simulation, (channel, packet) => this.#routed(channel, packet));
    this.#listenPlainly();
    for (let index = 0; index < scenario.nodes; index++) this.#start(index);
  }

  run(): Outcome {
    const { operations, end } = this.#scenario;
    const simulation = this.#simulation;
    for (const operation of operations) simulation.at(operation.at, () => this.#perform(operation));
    simulation.at(end, () => this.#bus.losing.clear());
    simulation.run(end + AFTERWARDS);
    const lost = this.#judgement.end(this.#all);
    const { faults, sent, reports } = this.#judgement;
    const questions = this.#all.reduce((sum, node) => sum + node.questions, 0);
    return { faults, trace: simulation.trace ?? [], sent: sent.length, lost, reports, questions };
  }

  #start(index: number): void {
    const node = new FarmNode(
      this.#bus,
      `N${this.#all.length}`,
      this.#scenario.bounds,
      this.#judgement,
    );
    this.#nodes[index] = node;
    this.#all.push(node);
  }

  /** A node of ASP.NET Core shows everything that it hears. */
  #listenPlainly(): void {
    const shown = new Set<number>();
    const plain = new Subscriber(this.#bus, new Host(this.#simulation, "plain"), {
      received: (_channel, packet) => {
        if (packet.kind !== "data") return;
        if (shown.has(packet.id)) {
          this.#judgement.fault(`#${packet.id} comes twice at a node without numbers`);
        }
        shown.add(packet.id);
      },
      ...{ confirmed() {}, away() {}, open() {} },
    });
    for (const channel of CHANNELS) plain.subscribe(channel);
  }

  #routed(channel: string, packet: Packet): void {
    if (packet.kind === "data") this.#judgement.routed(channel, packet);
  }

  #perform(operation: Operation): void {
    const simulation = this.#simulation;
    if (operation.kind === "restart") {
      if (this.#bus.up) this.#bus.restart(operation.down);
      return;
    }
    const node = this.#nodes[operation.node];
    if (node === undefined) return;
    if (operation.kind === "start") {
      if (node.host.dead) this.#start(operation.node);
      return;
    }
    if (node.host.dead) return;
    simulation.log(() => `${node.name}: ${JSON.stringify(operation)}`);
    switch (operation.kind) {
      case "cutSubscriber":
        return void node.subscriber.cut(operation.notice);
      case "cutPublisher":
        return void node.publisher.cut(operation.notice);
      case "cutBehind":
        return void node.publisher.cutBehind(operation.notice);
      case "lose":
        return void this.#bus.losing.set(node.name, operation.count);
      case "pause":
        return node.host.pause(operation.duration);
      case "die":
        node.host.dead = true;
        node.subscriber.cut(0);
        return void node.publisher.cutBehind(0);
      default:
        return node.host.run(() => this.#act(node, operation));
    }
  }

  #act(node: FarmNode, operation: Operation & { kind: "join" | "leave" | "send" }): void {
    const { channel } = operation;
    const judgement = this.#judgement;
    if (operation.kind === "send") {
      return node.send(channel, judgement.sends(node, channel).id);
    }
    const { member } = operation;
    if (operation.kind === "leave") {
      if (judgement.leaves(node, channel, member)) node.leave(channel, member);
      return;
    }
    const joined = judgement.joins(node, channel, member);
    if (joined !== undefined) node.join(channel, member, joined);
  }
}
