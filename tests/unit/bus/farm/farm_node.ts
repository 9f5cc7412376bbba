import { HeardChannel } from "../../../../hub/bus/heard_channel.ts";
import type { HubSign, IndexAnswer, MessagesAnswer } from "../../../../hub/bus/node_messages.ts";
import { Numbering } from "../../../../hub/bus/numbering.ts";
import { Repair } from "../../../../hub/bus/repair.ts";
import type { RepairQuestion } from "../../../../hub/bus/repair_effects.ts";
import { type Bus, Host, PubConn, type Sim, SubConn } from "./simulation.ts";

/** The bounds of a node; all are small where a scenario overruns them. */
export interface Bounds {
  readonly ringBytes: number;
  readonly heldBytes: number;
  readonly answerBytes: number;
  readonly backlog: number;
}

/** What a {@link FarmNode} tells its scenario. */
export interface Observer {
  delivered(node: FarmNode, channel: string, id: number, local: boolean): void;
  handedOver(id: number, number: number): void;
  settled(id: number, accepted: boolean): void;
  requested(node: FarmNode, channel: string, busTime: number): void;
  lost(node: FarmNode, channel: string, missing: number): void;
}

/** What goes over the simulated bus; `s` is the sender. */
export type Packet =
  | { k: "data"; s: string; number: number; back: number; payload: Uint8Array; id: number }
  | { k: "sign"; s: string; id: number; sign: HubSign; bye: boolean }
  | { k: "question"; s: string; asked: RepairQuestion }
  | { k: "index"; s: string; answer: IndexAnswer }
  | { k: "messages"; s: string; answer: MessagesAnswer };

interface Channel {
  readonly heard: HeardChannel;
  readonly members: Set<string>;
  waiting: ((joined: boolean) => void)[];
  emptySince: number | undefined;
}

interface Neighbour {
  heard: number;
  sign: number;
  dead: boolean;
}

interface Waiting {
  readonly channel: string;
  readonly id: number;
}

const SIGNS = "signs";
const OUTAGE_TIMEOUT = 5000;

/** The bytes of a message: its id. */
export function payloadOf(id: number): Uint8Array {
  return new TextEncoder().encode(String(id).padStart(8, "0"));
}

function idOf(payload: Uint8Array): number {
  return Number(new TextDecoder().decode(payload));
}

/** A node with the numbers and repairs of the hub, on a simulated bus. */
export class FarmNode {
  readonly host: Host;
  readonly channels = new Map<string, Channel>();
  readonly neighbours = new Map<string, Neighbour>();
  readonly repair: Repair;
  readonly #numbering: Numbering;
  readonly #publisher: PubConn;
  readonly #subscriber: SubConn;
  readonly #sim: Sim;
  readonly #bounds: Bounds;
  readonly #observer: Observer;
  #backlog: Waiting[] = [];
  #uncertain = new Set<number>();
  #signs = 0;
  #listenFrom: number;
  #ticked: number;
  questions = 0;

  constructor(bus: Bus, readonly name: string, bounds: Bounds, observer: Observer) {
    const sim = this.#sim = bus.sim;
    this.#bounds = bounds;
    this.#observer = observer;
    this.#listenFrom = this.#ticked = sim.now;
    this.host = new Host(sim, name);
    this.#numbering = new Numbering(bounds.ringBytes, bounds.answerBytes);
    this.repair = new Repair(this.#effects(), { timeout: 1000, maximumBytes: bounds.heldBytes });
    this.#subscriber = new SubConn(bus, this.host, {
      message: (channel, packet) => this.#received(channel, packet as Packet),
      confirmed: (channel) => this.#confirmed(channel),
      asked: (channel, busTime) => observer.requested(this, channel, busTime),
      away: () => this.repair.away(),
      open: (gap) => {
        this.#listenFrom = sim.now;
        if (gap) this.repair.missed(sim.now);
        this.#sign();
      },
    });
    this.#subscriber.subscribe(SIGNS);
    this.#subscriber.subscribe(`to:${name}`);
    this.#publisher = new PubConn(bus, this.host, () => this.#flush());
    const beat = () => {
      this.#beat();
      this.host.after(1000, beat);
    };
    this.host.after(sim.rng.int(1000), beat);
    const tick = () => {
      this.repair.tick(sim.now);
      this.host.after(50, tick);
    };
    this.host.after(50, tick);
  }

  /** Whether nothing is under way. */
  get idle(): boolean {
    return this.repair.idle && this.#backlog.length === 0 && this.#uncertain.size === 0;
  }

  cutSubscriber(notice: number): void {
    this.#subscriber.cut(notice);
  }

  cutPublisher(late: boolean, notice: number): void {
    this.#publisher.cut(late, notice);
  }

  send(channel: string, id: number): void {
    this.#observer.delivered(this, channel, id, true);
    if (this.#publisher.open && this.#backlog.length === 0) {
      return this.#handOver({ channel, id }, this.#sim.now + OUTAGE_TIMEOUT);
    }
    if (this.#backlog.length >= this.#bounds.backlog) return this.#observer.settled(id, false);
    const waiting = { channel, id };
    this.#backlog.push(waiting);
    this.host.after(OUTAGE_TIMEOUT, () => {
      const index = this.#backlog.indexOf(waiting);
      if (index < 0) return;
      this.#backlog.splice(index, 1);
      this.#observer.settled(id, false);
    });
  }

  join(name: string, member: string, done: (joined: boolean) => void): void {
    let channel = this.channels.get(name);
    if (channel === undefined) {
      const heard = new HeardChannel(name, [], false);
      channel = { heard, members: new Set(), waiting: [], emptySince: undefined };
      this.channels.set(name, channel);
      this.repair.requested(heard, this.#sim.now);
      this.#subscriber.subscribe(name);
    }
    const joined = channel;
    joined.members.add(member);
    joined.emptySince = undefined;
    if (joined.heard.confirmedAt !== undefined) return done(true);
    joined.waiting.push(done);
    this.host.after(5000, () => {
      const index = joined.waiting.indexOf(done);
      if (index < 0) return;
      joined.waiting.splice(index, 1);
      joined.members.delete(member);
      if (joined.members.size === 0) joined.emptySince = this.#sim.now;
      done(false);
    });
  }

  leave(name: string, member: string): void {
    const channel = this.channels.get(name);
    if (!channel?.members.delete(member) || channel.members.size > 0) return;
    channel.emptySince = this.#sim.now;
  }

  #effects() {
    // deno-lint-ignore no-this-alias
    const node = this;
    return {
      get open() {
        return node.#publisher.open && node.#subscriber.open;
      },
      lossy: true,
      channel: (name: string) => node.channels.get(name)?.heard,
      channels: () => [...node.channels.values()].map(({ heard }) => heard),
      deliver: ({ name }: HeardChannel, payload: Uint8Array) =>
        node.#observer.delivered(node, name, idOf(payload), false),
      ask: (to: string, asked: RepairQuestion) => {
        node.questions++;
        node.#sim.log(`${node.name} asks ${to} ${JSON.stringify(asked)}`);
        node.#tell(to, { k: "question", s: node.name, asked });
      },
      lost: ({ name }: HeardChannel, missing: number) => node.#observer.lost(node, name, missing),
      settled: () => {},
      met: () => {},
      soon: (call: (now: number) => void) => node.host.after(1, () => call(node.#sim.now)),
    };
  }

  #handOver({ channel, id }: Waiting, deadline: number): void {
    const { now } = this.#sim;
    let back: number;
    const payload = payloadOf(id);
    if (this.#alone) back = this.#numbering.nextAlone(now);
    else {
      back = this.#numbering.next(channel, now);
      this.#numbering.keep(channel, back, payload, now);
    }
    const { number } = this.#numbering;
    this.#observer.handedOver(id, number);
    const packet: Packet = { k: "data", s: this.name, number, back, payload, id };
    this.#publisher.publish(channel, packet, (accepted) => {
      if (accepted) return this.#observer.settled(id, true);
      this.#uncertain.add(id);
      const settle = (settled: boolean) => {
        if (this.#uncertain.delete(id)) this.#observer.settled(id, settled);
      };
      this.#numbering.unanswered(channel, number, () => settle(true));
      this.host.after(Math.max(0, deadline - this.#sim.now), () => settle(false));
    });
  }

  #flush(): void {
    const waiting = this.#backlog;
    this.#backlog = [];
    for (const message of waiting) this.#handOver(message, this.#sim.now);
    this.#sign();
  }

  #sign(): void {
    if (!this.#publisher.open) return;
    const sign = this.#numbering.sign("hub", { tails: 500, characters: Infinity }, this.#sim.now);
    const packet: Packet = { k: "sign", s: this.name, id: ++this.#signs, sign, bye: false };
    this.#publisher.publish(SIGNS, packet, (accepted) => this.#numbering.signed(sign, accepted));
  }

  #tell(node: string, packet: Packet): void {
    if (this.#publisher.open) this.#publisher.publish(`to:${node}`, packet);
  }

  #received(name: string, packet: Packet): void {
    const { now } = this.#sim;
    if (packet.s === this.name) return;
    if (packet.k === "sign") return this.#heardSign(packet);
    const neighbour = this.#neighbour(packet.s);
    if (packet.k === "data") {
      const heard = this.channels.get(name)?.heard;
      if (heard?.confirmedAt === undefined) return;
      const { number, back, payload, s: node } = packet;
      if (this.repair.arrived(heard, { node, number, back, payload }, now)) {
        this.#observer.delivered(this, name, packet.id, false);
      }
    } else if (packet.k === "question") this.#answer(packet.s, packet.asked);
    else if (packet.k === "index") this.repair.indexed(packet.s, packet.answer, now);
    else this.repair.repeated(packet.s, packet.answer, now);
    void neighbour;
  }

  #heardSign({ s, id, sign, bye }: Packet & { k: "sign" }): void {
    const neighbour = this.#neighbour(s);
    const missed = neighbour.sign !== 0 && id > neighbour.sign + 1;
    neighbour.heard = this.#sim.now;
    neighbour.sign = id;
    neighbour.dead = bye;
    this.repair.sign(s, sign, missed, this.#sim.now);
    if (bye) this.repair.ended(s, "gone", this.#sim.now);
  }

  #answer(to: string, asked: RepairQuestion): void {
    const { now } = this.#sim;
    const about = { id: asked.id, node: this.name, hub: "hub", after: asked.after };
    if (asked.kind === "askIndex") {
      const index = this.#numbering.index(asked.after, asked.age, now);
      const answer: IndexAnswer = { kind: "index", ...about, ...index };
      this.#sim.log(`${this.name} answers ${to} ${JSON.stringify(answer)}`);
      return this.#tell(to, { k: "index", s: this.name, answer });
    }
    const { channel } = asked;
    const repetition = this.#numbering.repeat(channel, asked.after, asked.age, now);
    const messages = repetition.messages.map((message) => ({
      ...message,
      payload: message.payload && message.payload.slice(),
    }));
    const answer: MessagesAnswer = {
      kind: "messages",
      ...about,
      channel,
      ...repetition,
      messages,
    };
    this.#sim.log(
      `${this.name} answers ${to} ${
        JSON.stringify({
          ...answer,
          messages: messages.map((
            { number, back, age, payload },
          ) => [number, back, age, payload && 1]),
        })
      }`,
    );
    this.#tell(to, { k: "messages", s: this.name, answer });
  }

  #neighbour(name: string): Neighbour {
    let neighbour = this.neighbours.get(name);
    if (neighbour === undefined) {
      neighbour = { heard: this.#sim.now, sign: 0, dead: false };
      this.neighbours.set(name, neighbour);
    }
    return neighbour;
  }

  get #alone(): boolean {
    const { now } = this.#sim;
    for (const { dead, heard } of this.neighbours.values()) {
      if (!dead || heard > now - 35_000) return false;
    }
    return true;
  }

  #beat(): void {
    const { now } = this.#sim;
    if (now - this.#ticked > 2500) this.#listenFrom = now;
    this.#ticked = now;
    this.#sign();
    if (this.#subscriber.open) this.#judge(now);
    for (const [name, { heard, members, emptySince }] of this.channels) {
      if (members.size > 0 || emptySince === undefined || now - emptySince < 1000) continue;
      this.channels.delete(name);
      this.#subscriber.unsubscribe(name);
      this.repair.closed(heard);
    }
  }

  #judge(now: number): void {
    for (const [name, neighbour] of this.neighbours) {
      if (neighbour.dead || now - Math.max(neighbour.heard, this.#listenFrom) <= 5000) continue;
      neighbour.dead = true;
      this.repair.ended(name, "dead", now);
    }
  }

  #confirmed(name: string): void {
    const channel = this.channels.get(name);
    if (channel === undefined || channel.heard.confirmedAt !== undefined) return;
    this.repair.confirmed(channel.heard, this.#sim.now);
    const { waiting } = channel;
    channel.waiting = [];
    for (const done of waiting) done(true);
  }
}
