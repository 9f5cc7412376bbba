import type { FarmNode, Observer } from "./farm_node.ts";
import type { Data } from "./packet.ts";
import type { Simulation } from "./simulation.ts";

/** How long after it was handed over a message may have reached the bus, at most; in milliseconds. */
const LONGEST_WAY = 500;

/**
 * So long after a join, in milliseconds, no node can tell by the age of a message whether the message was
 * handed over before the join: a question and its answer take as long here.
 */
const JOINING = 50;

/** A message, and what became of it. */
export interface Sent {
  readonly id: number;
  readonly channel: string;
  readonly node: FarmNode;
  readonly at: number;
  number: number;
  handedOverAt: number;
  /** Whether its sender knew no other node, so that it kept nothing. */
  alone: boolean;
  /** When the bus had it; `undefined` as long as it has not. */
  onBusAt: number | undefined;
  /** What its sender was told. */
  accepted: boolean | undefined;
}

interface Member {
  readonly node: FarmNode;
  readonly channel: string;
  joinedAt: number | undefined;
  hasLeft: boolean;
  /** The ids of what it got, in order. */
  readonly got: number[];
}

interface Report {
  readonly node: FarmNode;
  readonly channel: string;
  readonly at: number;
}

/** Knows everything that has happened in a farm, and says what was wrong. */
export class Judgement implements Observer {
  readonly faults: string[] = [];
  readonly sent: Sent[] = [];
  readonly #simulation: Simulation;
  readonly #members: Member[] = [];
  /** The members that have not left. */
  readonly #present = new Map<string, Member>();
  readonly #reports: Report[] = [];

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** How often nodes have reported that messages are missing. */
  get reports(): number {
    return this.#reports.length;
  }

  /** Something was wrong. */
  fault(text: string): void {
    this.faults.push(text);
    this.#simulation.log(() => `WRONG: ${text}`);
  }

  /** A node sends a new message. */
  sends(node: FarmNode, channel: string): Sent {
    const { now: at } = this.#simulation;
    const unknown = { onBusAt: undefined, accepted: undefined };
    const handed = { number: 0, handedOverAt: 0, alone: false };
    const sent: Sent = { id: this.sent.length, channel, node, at, ...handed, ...unknown };
    this.sent.push(sent);
    return sent;
  }

  /** A member joins, unless it is one; returns the function to call with whether it has joined. */
  joins(
    node: FarmNode,
    channel: string,
    name: string,
  ): ((joined: boolean) => void) | undefined {
    const key = keyOf(node, channel, name);
    if (this.#present.has(key)) return undefined;
    const member: Member = { node, channel, joinedAt: undefined, hasLeft: false, got: [] };
    this.#members.push(member);
    this.#present.set(key, member);
    return (joined) => {
      this.#simulation.log(() => `${key} ${joined ? "has joined" : "has not joined"}`);
      if (joined) member.joinedAt = this.#simulation.now;
      else if (this.#present.get(key) === member) this.#present.delete(key);
    };
  }

  /** A member leaves; returns whether it is one. */
  leaves(node: FarmNode, channel: string, name: string): boolean {
    const key = keyOf(node, channel, name);
    const member = this.#present.get(key);
    if (member?.joinedAt === undefined) return false;
    member.hasLeft = true;
    this.#present.delete(key);
    return true;
  }

  /** The bus hands a message on. */
  routed(channel: string, { id, node, number, back }: Data): void {
    const sent = this.sent[id];
    if (sent === undefined) return;
    this.#simulation.log(() => `the bus: #${id} on ${channel}, ${node}:${number}-${back}`);
    if (sent.onBusAt !== undefined) this.fault(`#${id} is published twice`);
    sent.onBusAt = this.#simulation.now;
  }

  handedOver(id: number, number: number, alone: boolean): void {
    const sent = this.sent[id];
    const { now: handedOverAt } = this.#simulation;
    if (sent !== undefined) Object.assign(sent, { number, handedOverAt, alone });
  }

  settled(id: number, accepted: boolean): void {
    this.#simulation.log(() => `#${id} ${accepted ? "resolves" : "rejects"}`);
    const sent = this.sent[id];
    if (sent !== undefined) sent.accepted ??= accepted;
  }

  lost(node: FarmNode, channel: string, missing: number): void {
    this.#simulation.log(() => `${node.name} has lost ${missing} on ${channel}`);
    this.#reports.push({ node, channel, at: this.#simulation.now });
  }

  delivered(node: FarmNode, channel: string, id: number, isLocal: boolean): void {
    const sent = this.sent[id];
    if (sent === undefined) return;
    if (!isLocal) {
      this.#simulation.log(() =>
        `${node.name} delivers #${id} on ${channel}, ${sent.node.name}:${sent.number}`
      );
    }
    for (const name of node.members(channel)) {
      const member = this.#present.get(keyOf(node, channel, name));
      if (member !== undefined) this.#got(member, sent);
    }
    const publishedAt = sent.onBusAt ?? sent.handedOverAt + LONGEST_WAY;
    if (!isLocal && publishedAt < node.requestedAt(channel)) {
      this.fault(`#${id} was published before ${node.name} wanted ${channel}`);
    }
  }

  /**
   * The run is over; returns how many accepted messages members lack. A message from the moment of their
   * joining does not count, but has to be reported as well.
   */
  end(nodes: readonly FarmNode[]): number {
    for (const { host, idle, name } of nodes) {
      if (!host.dead && !idle) this.fault(`${name} does not come to rest`);
    }
    let lost = 0;
    for (const sent of this.sent) {
      if (sent.accepted === undefined && !sent.node.host.dead) {
        this.fault(`#${sent.id} is not settled`);
      }
      if (!sent.accepted) continue;
      for (const member of this.#members) {
        if (!isOwed(member, sent) || member.got.includes(sent.id)) continue;
        if (sent.handedOverAt - (member.joinedAt ?? 0) > JOINING) lost++;
        if (this.#isReported(member, sent)) continue;
        const from = `${sent.node.name}:${sent.number}`;
        const { node, channel } = member;
        this.fault(`#${sent.id} of ${from} on ${channel} is lost at ${node.name} without a report`);
      }
    }
    return lost;
  }

  #got({ node, channel, got }: Member, sent: Sent): void {
    const where = `at ${node.name} on ${channel}`;
    if (got.includes(sent.id)) this.fault(`#${sent.id} comes twice ${where}`);
    const before = got.findLast((id) => this.sent[id]?.node === sent.node);
    if (before !== undefined && before > sent.id) {
      this.fault(`#${sent.id} comes after #${before} ${where}`);
    }
    got.push(sent.id);
  }

  #isReported({ node, channel }: Member, sent: Sent): boolean {
    const isDead = node.neighbours.isDead(sent.node.name);
    return this.#reports.some((report) =>
      report.node === node && report.channel === channel && (report.at >= sent.at || isDead)
    );
  }
}

/** Whether a member should have got a message. */
function isOwed({ node, channel, joinedAt, hasLeft }: Member, sent: Sent): boolean {
  if (channel !== sent.channel || hasLeft || node === sent.node || node.host.dead) return false;
  // A node that was never heard and has died is the one case that nobody can report.
  if (sent.node.host.dead && !node.neighbours.knows(sent.node.name)) return false;
  return joinedAt !== undefined && joinedAt < sent.at;
}

function keyOf(node: FarmNode, channel: string, name: string): string {
  return `${node.name}/${channel}/${name}`;
}
