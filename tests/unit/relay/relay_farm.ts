import { assertEquals } from "@std/assert";
import type { RelayListener } from "../../../hub/bus/cluster.ts";
import type { NodeMessage, Stand } from "../../../hub/bus/node_messages.ts";
import { readNodeMessage } from "../../../hub/bus/read_node_message.ts";
import type { RelayMessage, Seek } from "../../../hub/bus/relay_messages.ts";
import { writeNodeMessage } from "../../../hub/bus/write_node_message.ts";
import { Relay, type Relayed, type RelayTarget } from "../../../hub/relay/relay.ts";
import type { ServedRequest } from "../../../hub/relay/inward.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { settle } from "../../kit/pipe.ts";

/** The limits of the nodes. */
export const LIMITS = { relayTimeout: 10_000, maximumRelays: 1000, transportSendTimeout: 10_000 };

/** What becomes of a message on its way to a node. */
export type Fate = "arrives" | "lost" | "twice";

/** A node with connections that answer what a test wants. */
export class RelayNode {
  readonly name: string;
  readonly relay: Relay;
  readonly log: KeptLog = new KeptLog();
  /** The connections of this node, and how each answers. */
  readonly connections = new Map<
    string,
    (request: ServedRequest) => Promise<Response> | Response
  >();
  /** The connections that hear their channel: those that have shaken hands. */
  readonly channels = new Set<string>();
  /** The homes that this node has let connections begin at. */
  readonly homes = new Map<string, string>();
  /** The connections of which an answer was lost. */
  readonly lost: string[] = [];
  /** The requests that were served, by verb. */
  readonly served: ServedRequest[] = [];
  listener: RelayListener | undefined;
  /** Whether no sign of another node is missing, and this node's bus. */
  settled = true;
  status: "open" | "reconnecting" = "open";
  alone = false;
  readonly #farm: RelayFarm;

  constructor(name: string, farm: RelayFarm, limits: Partial<typeof LIMITS>) {
    this.name = name;
    this.#farm = farm;
    const { clock } = farm;
    this.relay = new Relay({
      serverName: name,
      clock,
      cluster: this,
      channels: { ask: (hub, question) => farm.ask(this, hub, question) },
      scheduler: new Scheduler(clock),
      limitedLog: new LimitedLog(this.log, clock),
    }, { ...LIMITS, ...limits });
    this.relay.homeOf = (id) => this.connections.has(id) ? name : this.homes.get(id);
    this.relay.serve((request) => {
      const answer = this.connections.get(request.connectionId);
      if (answer === undefined) return undefined;
      this.served.push(request);
      return { response: answer(request), lost: () => void this.lost.push(request.connectionId) };
    });
  }

  tell(node: string, message: NodeMessage): Promise<number | undefined> {
    return this.#farm.tell(this, node, message);
  }

  living(): string[] {
    return [...this.#farm.living].filter((other) => other !== this.name);
  }

  lives(node: string): boolean {
    return node !== this.name && this.#farm.living.has(node);
  }

  watchRelays(listener: RelayListener): void {
    this.listener = listener;
  }

  /** Relays a request for a connection. */
  request(target: Partial<RelayTarget> & Pick<RelayTarget, "connectionId">): Promise<Relayed> {
    return this.relay.request({
      ...{ hub: "hub", home: undefined, issuer: undefined, isYoung: false, mayBegin: false },
      ...{ verb: "poll", userId: undefined, expires: undefined, body: null, length: undefined },
      signal: undefined,
      ...target,
    });
  }
}

/** Nodes that relay requests to each other. */
export class RelayFarm {
  readonly clock: ManualClock = new ManualClock();
  readonly nodes = new Map<string, RelayNode>();
  /** The nodes that count as living. */
  readonly living = new Set<string>();
  /** Everything that was said, as `kind → node`. */
  readonly said: string[] = [];
  /** The largest message so far, in bytes. */
  largest = 0;
  /** What becomes of a message. */
  fate: (message: NodeMessage) => Fate = () => "arrives";
  /** Whether the bus tells how many have heard a message. */
  counts = true;

  add(name: string, limits: Partial<typeof LIMITS> = {}): RelayNode {
    const node = new RelayNode(name, this, limits);
    this.nodes.set(name, node);
    this.living.add(name);
    return node;
  }

  /** A node ends; the others are told when it is `judged`. */
  kill(name: string): void {
    this.nodes.delete(name);
  }

  /** The others learn that a node is there no more. */
  judge(name: string): void {
    this.living.delete(name);
    for (const { listener } of this.nodes.values()) listener?.ended(name);
  }

  async tell(from: RelayNode, to: string, message: NodeMessage): Promise<number | undefined> {
    this.said.push(`${message.kind} → ${to}`);
    const bytes = writeNodeMessage(message).slice();
    this.largest = Math.max(this.largest, bytes.length);
    const fate = this.fate(message);
    const node = this.nodes.get(to);
    await Promise.resolve();
    if (from.status !== "open") return undefined;
    const isThere = node !== undefined && node.status === "open";
    const copies = !isThere || fate === "lost" ? 0 : fate === "twice" ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const read = readNodeMessage(bytes);
      if (read !== undefined) node?.listener?.received(read as RelayMessage);
    }
    // The bytes are the bus's again.
    bytes.fill(0xff);
    return this.counts ? Number(isThere) : undefined;
  }

  async ask(
    from: RelayNode,
    hub: string,
    question: Seek | Stand,
  ): Promise<number | undefined | null> {
    this.said.push(`seek on ${hub}:${question.connectionId}`);
    const fate = this.fate(question);
    await Promise.resolve();
    if (from.status !== "open") return null;
    const hearing = [...this.nodes.values()].filter(({ channels, status }) =>
      status === "open" && channels.has(question.connectionId)
    );
    for (const { name, connections } of fate === "lost" ? [] : hearing) {
      const home = connections.has(question.connectionId) ? name : undefined;
      const answer = { kind: "sought", id: question.id, node: name, home } as const;
      if (this.fate(answer) !== "lost") from.listener?.received(answer);
    }
    return this.counts ? hearing.length : undefined;
  }

  /** Lets so much time pass, in steps in which everything is answered. */
  async pass(milliseconds: number): Promise<void> {
    await settle();
    for (let left = milliseconds; left > 0; left -= 250) {
      this.clock.advance(Math.min(left, 250));
      await settle();
    }
  }

  /** Lets time pass until `promise` settles. */
  async until<T>(promise: Promise<T>, longest = 60_000): Promise<T> {
    let isSettled = false;
    promise.then(() => isSettled = true, () => isSettled = true);
    for (let passed = 0; passed <= longest && !isSettled; passed += 250) await this.pass(250);
    if (!isSettled) throw new Error(`Waited ${longest} ms in vain; said: ${this.said.join(", ")}`);
    return await promise;
  }
}

const OK = { headers: { "content-type": "text/plain" } };

/** Two nodes, of which the second has the connection `c`. */
export function pair(limits: Partial<typeof LIMITS> = {}): [RelayFarm, RelayNode, RelayNode] {
  const farm = new RelayFarm();
  const [relay, home] = [farm.add("relay", limits), farm.add("home", limits)];
  home.channels.add("c");
  home.connections.set("c", () => new Response("hello", OK));
  return [farm, relay, home];
}

/** Status and text of an answer, or why there is none. */
export async function brief(answer: Relayed): Promise<string> {
  return answer instanceof Response ? `${answer.status} ${await answer.text()}` : answer;
}

/** Nothing is left of any request. */
export function assertIdle(farm: RelayFarm): void {
  for (const { relay } of farm.nodes.values()) {
    assertEquals([relay.held, relay.underWay], [0, [0, 0]]);
  }
  assertEquals(farm.clock.pending, 0);
}
