import { type Bounds, FarmNode, type Packet } from "./farm_node.ts";
import { Bus, Host, Rng, Sim, SubConn } from "./simulation.ts";

type Operation =
  | { t: number; k: "join" | "leave"; n: number; c: string; m: string }
  | { t: number; k: "send"; n: number; c: string }
  | { t: number; k: "cutsub"; n: number; notice: number }
  | { t: number; k: "cutpub"; n: number; notice: number; late: boolean }
  | { t: number; k: "bus"; down: number }
  | { t: number; k: "lose"; n: number; count: number }
  | { t: number; k: "pause"; n: number; ms: number }
  | { t: number; k: "die" | "start"; n: number };

export interface Scenario {
  readonly seed: number;
  readonly nodes: number;
  readonly bounds: Bounds;
  readonly faults: readonly string[];
  readonly operations: readonly Operation[];
  readonly end: number;
}

const ROOMY = { ringBytes: 1 << 20, heldBytes: 1 << 20, backlog: 100 };
export const FAULTS = ["cutsub", "cutpub", "bus", "lose", "pause", "die", "overrun"] as const;

/** The scenario of a seed; the seed chooses among `faults`. */
export function scenario(seed: number, only?: readonly string[]): Scenario {
  const r = new Rng(seed * 2654435761 | 0);
  for (let i = 0; i < 3; i++) r.next();
  const nodes = 2 + r.int(3);
  const channels = ["a", "b", "c", "d"].slice(0, 1 + r.int(4));
  const chosen = FAULTS.filter(() => r.chance(0.35));
  const faults = only ?? chosen;
  const has = (fault: string) => faults.includes(fault);
  const bounds = has("overrun")
    ? { ringBytes: 8 * (1 + r.int(12)), heldBytes: 8 * (1 + r.int(5)), backlog: 1 + r.int(8) }
    : ROOMY;
  const answerBytes = r.chance(0.5) ? 64 * 1024 : 1 + r.int(200);
  const end = 6000 + r.int(8000);
  const operations: Operation[] = [];
  const node = () => r.int(nodes);
  const time = () => 1500 + r.int(end - 1500);
  for (let n = 0; n < nodes; n++) {
    for (const c of channels) {
      if (r.chance(0.6)) operations.push({ t: 100 + r.int(2500), k: "join", n, c, m: "x" });
    }
  }
  for (let i = 4 + r.int(8); i > 0; i--) {
    const [n, c, m, t] = [node(), r.pick(channels), r.pick(["x", "y"]), time()];
    operations.push({ t, k: "join", n, c, m });
    if (r.chance(0.6)) operations.push({ t: t + 100 + r.int(4000), k: "leave", n, c, m });
  }
  for (let i = 5 + r.int(40); i > 0; i--) {
    let t = time();
    const [n, c] = [node(), r.pick(channels)];
    for (let k = r.chance(0.2) ? 1 + r.int(6) : 1; k > 0; k--, t += r.int(30)) {
      operations.push({ t, k: "send", n, c });
    }
  }
  const some = (fault: string, most: number, make: () => Operation) => {
    if (has(fault)) { for (let i = 1 + r.int(most); i > 0; i--) operations.push(make()); }
  };
  const notice = () => r.chance(0.7) ? r.int(60) : r.int(3000);
  some("cutsub", 3, () => ({ t: time(), k: "cutsub", n: node(), notice: notice() }));
  some(
    "cutpub",
    3,
    () => ({ t: time(), k: "cutpub", n: node(), notice: notice(), late: r.chance(0.5) }),
  );
  some("bus", 2, () => ({ t: time(), k: "bus", down: r.int(r.chance(0.8) ? 3000 : 9000) }));
  some("lose", 5, () => ({ t: time(), k: "lose", n: node(), count: 1 + r.int(3) }));
  const pause = () => r.chance(0.5) ? 8000 : 200 + r.int(8000);
  some("pause", 2, () => ({ t: time(), k: "pause", n: node(), ms: pause() }));
  some("die", 1, () => ({ t: time(), k: "die", n: node() }));
  if (has("die") && r.chance(0.5)) operations.push({ t: time(), k: "start", n: node() });
  operations.sort((one, other) => one.t - other.t);
  return { seed, nodes, bounds: { ...bounds, answerBytes }, faults, operations, end };
}

interface Sent {
  readonly id: number;
  readonly channel: string;
  readonly node: FarmNode;
  readonly t: number;
  number: number;
  handedOver: number;
  onBus: number;
  twice: boolean;
  accepted: boolean | undefined;
}

interface Member {
  readonly node: FarmNode;
  readonly channel: string;
  joined: number;
  left: number;
  readonly got: number[];
}

interface Report {
  readonly node: FarmNode;
  readonly channel: string;
  readonly t: number;
  readonly missing: number;
}

/** What a scenario came to: faults of the code, and figures. */
export interface Outcome {
  readonly bad: string[];
  readonly trace: readonly string[];
  readonly figures: Readonly<Record<"sent" | "lost" | "reports" | "questions", number>>;
}

/** Runs a scenario to its end, and compares what each member got with what it should have got. */
export class Run {
  readonly #scenario: Scenario;
  readonly #sim: Sim;
  readonly #bus: Bus;
  readonly #nodes: FarmNode[] = [];
  readonly #all: FarmNode[] = [];
  readonly #sent: Sent[] = [];
  readonly #members: Member[] = [];
  readonly #living = new Map<string, Member>();
  readonly #reports: Report[] = [];
  readonly #bad: string[] = [];

  constructor(scenario: Scenario, traced = false) {
    this.#scenario = scenario;
    const sim = this.#sim = new Sim(new Rng(scenario.seed ^ 0x5bd1e995));
    if (traced) sim.trace = [];
    this.#bus = new Bus(sim);
    this.#bus.onRoute = (channel, packet) => this.#routed(channel, packet as Packet);
    this.#listenPlainly();
    for (let n = 0; n < scenario.nodes; n++) this.#start(`N${n}`, n);
  }

  run(): Outcome {
    const { operations, end } = this.#scenario;
    let quiet = end;
    for (const operation of operations) {
      const lasts = "ms" in operation
        ? operation.ms
        : "down" in operation
        ? operation.down
        : "notice" in operation
        ? operation.notice
        : 0;
      quiet = Math.max(quiet, operation.t + lasts);
      this.#sim.at(operation.t, () => this.#perform(operation));
    }
    this.#sim.at(quiet, () => this.#bus.lose.clear());
    this.#sim.run(quiet + 12_000);
    for (const node of this.#all) {
      if (!node.host.dead && !node.idle) this.#bad.push(`not quiet: ${node.name}`);
    }
    const lost = this.#judge();
    const questions = this.#all.reduce((sum, node) => sum + node.questions, 0);
    const figures = { sent: this.#sent.length, lost, reports: this.#reports.length, questions };
    return { bad: this.#bad, trace: this.#sim.trace ?? [], figures };
  }

  #start(name: string, index: number): void {
    const node = new FarmNode(this.#bus, name, this.#scenario.bounds, {
      delivered: (node, channel, id, local) => this.#delivered(node, channel, id, local),
      handedOver: (id, number) => {
        const sent = this.#sent[id];
        if (sent !== undefined) Object.assign(sent, { number, handedOver: this.#sim.now });
      },
      settled: (id, accepted) => {
        const sent = this.#sent[id];
        if (sent !== undefined) sent.accepted ??= accepted;
        this.#sim.log(`send #${id} ${accepted ? "resolves" : "rejects"}`);
      },
      requested: () => {},
      lost: (node, channel, missing) => {
        this.#sim.log(`${node.name}: LOST ${missing} on ${channel}`);
        this.#reports.push({ node, channel, t: this.#sim.now, missing });
      },
    });
    this.#nodes[index] = node;
    this.#all.push(node);
  }

  /** A node of ASP.NET Core shows everything that it hears. */
  #listenPlainly(): void {
    const shown = new Set<number>();
    const plain = new SubConn(this.#bus, new Host(this.#sim, "plain"), {
      message: (_channel, packet) => {
        const { id } = packet as Packet & { k: "data" };
        if (shown.has(id)) this.#bad.push(`plain: #${id} twice at a node without numbers`);
        shown.add(id);
      },
      ...{ asked() {}, confirmed() {}, away() {}, open() {} },
    });
    for (const channel of ["a", "b", "c", "d"]) plain.subscribe(channel);
  }

  #routed(channel: string, packet: Packet): void {
    if (packet.k !== "data") return;
    const sent = this.#sent[packet.id];
    if (sent === undefined) return;
    if (sent.onBus >= 0) this.#bad.push(`published twice: #${packet.id}`);
    sent.onBus = this.#sim.now;
    this.#sim.log(`bus: ${channel} #${packet.id} of ${packet.s}:${packet.number}-${packet.back}`);
  }

  #delivered(node: FarmNode, channel: string, id: number, local: boolean): void {
    const sent = this.#sent[id];
    if (sent === undefined) return;
    if (!local) {
      this.#sim.log(`${node.name}: delivers ${channel} #${id} (${sent.node.name}:${sent.number})`);
    }
    for (const member of node.channels.get(channel)?.members ?? []) {
      const living = this.#living.get(`${node.name}|${channel}|${member}`);
      if (living === undefined) continue;
      if (living.got.includes(id)) this.#bad.push(`duplicate: #${id} at ${node.name}/${channel}`);
      const before = living.got.findLast((other) => this.#sent[other]?.node === sent.node);
      if (before !== undefined && before > id) {
        this.#bad.push(`order: #${id} after #${before} at ${node.name}/${channel}`);
      }
      living.got.push(id);
    }
    if (local) return;
    const requested = node.channels.get(channel)?.heard.requestedAt ?? 0;
    const published = sent.onBus >= 0 ? sent.onBus : sent.handedOver + 500;
    if (published < requested) {
      this.#bad.push(`early: #${id} was published before ${channel} was wanted at ${node.name}`);
    }
  }

  #perform(operation: Operation): void {
    if (operation.k === "bus") {
      if (this.#bus.up) this.#bus.restart(operation.down);
      return;
    }
    const node = this.#nodes[operation.n];
    if (node === undefined) return;
    if (operation.k === "start") {
      if (node.host.dead) this.#start(`N${this.#all.length}`, operation.n);
      return;
    }
    if (node.host.dead) return;
    switch (operation.k) {
      case "cutsub":
        return node.cutSubscriber(operation.notice);
      case "cutpub":
        return node.cutPublisher(operation.late, operation.notice);
      case "lose":
        return void this.#bus.lose.set(node.name, operation.count);
      case "pause":
        node.host.paused = true;
        this.#sim.log(`${node.name} sleeps ${operation.ms} ms`);
        return this.#sim.at(operation.t + operation.ms, () => {
          this.#sim.log(`${node.name} wakes`);
          node.host.resume();
        });
      case "die":
        node.host.dead = true;
        node.cutSubscriber(0);
        node.cutPublisher(true, 0);
        return this.#sim.log(`${node.name} dies`);
      default:
        return node.host.exec(() => this.#act(node, operation));
    }
  }

  #act(node: FarmNode, operation: Operation & { c: string }): void {
    const { now } = this.#sim;
    const channel = operation.c;
    if (operation.k === "send") {
      const id = this.#sent.length;
      const unknown = { number: -1, handedOver: -1, onBus: -1, twice: false, accepted: undefined };
      this.#sent.push({ id, channel, node, t: now, ...unknown });
      this.#sim.log(`${node.name} sends ${channel} #${id}`);
      return node.send(channel, id);
    }
    const key = `${node.name}|${channel}|${operation.m}`;
    const living = this.#living.get(key);
    if (operation.k === "leave") {
      if (living === undefined || living.joined < 0) return;
      living.left = now;
      this.#living.delete(key);
      return node.leave(channel, operation.m);
    }
    if (living !== undefined) return;
    const member: Member = { node, channel, joined: -1, left: Infinity, got: [] };
    this.#members.push(member);
    this.#living.set(key, member);
    node.join(channel, operation.m, (joined) => {
      if (joined) member.joined = this.#sim.now;
      else if (this.#living.get(key) === member) this.#living.delete(key);
      this.#sim.log(`${node.name}/${operation.m} ${joined ? "is in" : "is refused at"} ${channel}`);
    });
  }

  /** How many accepted messages members lack; those that nobody reports are faults. */
  #judge(): number {
    let lost = 0;
    for (const sent of this.#sent) {
      if (sent.accepted === undefined && !sent.node.host.dead) {
        this.#bad.push(`unsettled: #${sent.id}`);
      }
      if (!sent.accepted) continue;
      for (const member of this.#members) {
        if (!this.#owes(member, sent) || member.got.includes(sent.id)) continue;
        // A node that was never heard and has died is the one case that nobody can report.
        if (sent.node.host.dead && !member.node.neighbours.has(sent.node.name)) continue;
        lost++;
        const { node, channel } = member;
        const dead = member.node.neighbours.get(sent.node.name)?.dead ?? false;
        const reported = this.#reports.some((report) =>
          report.node === node && report.channel === channel && (report.t >= sent.t || dead)
        );
        if (!reported) {
          const from = `${sent.node.name}:${sent.number}`;
          this.#bad.push(`lost: #${sent.id} on ${channel} of ${from} at ${node.name}, no report`);
        }
      }
    }
    return lost;
  }

  #owes(member: Member, sent: Sent): boolean {
    const { node, channel, joined, left } = member;
    return channel === sent.channel && joined >= 0 && joined < sent.t && left === Infinity &&
      !node.host.dead && node !== sent.node;
  }
}
