import { HeardChannel } from "../../../../hub/bus/heard_channel.ts";
import type { HubMessage } from "../../../../hub/bus/node_messages.ts";
import { Numbering } from "../../../../hub/bus/numbering.ts";
import { Repair } from "../../../../hub/bus/repair.ts";
import type { RepairEffects, RepairQuestion } from "../../../../hub/bus/repair_effects.ts";
import type { Bus } from "./bus.ts";
import { Neighbours } from "./neighbours.ts";
import type { Data, Packet, SignPacket } from "./packet.ts";
import { Publisher } from "./publisher.ts";
import { Host, type Simulation } from "./simulation.ts";
import { Subscriber } from "./subscriber.ts";

/** The bounds of a node; all are small where a scenario overruns them. */
export interface Bounds {
  readonly ringBytes: number;
  readonly heldBytes: number;
  readonly answerBytes: number;
  /** How many messages wait for the bus. */
  readonly backlog: number;
}

/** What a {@link FarmNode} tells its scenario. */
export interface Observer {
  delivered(node: FarmNode, channel: string, id: number, isLocal: boolean): void;
  /** `alone` says that its sender knows no other node, so that it keeps nothing for repairs. */
  handedOver(id: number, number: number, alone: boolean): void;
  settled(id: number, accepted: boolean): void;
  lost(node: FarmNode, channel: string, missing: number): void;
}

interface Channel {
  readonly heard: HeardChannel;
  readonly members: Set<string>;
  waiting: ((joined: boolean) => void)[];
  emptySince: number | undefined;
}

interface Waiting {
  readonly channel: string;
  readonly id: number;
}

const SIGNS = "signs";
const OUTAGE_TIMEOUT = 5000;
const SUBSCRIBE_TIMEOUT = 5000;
const UNSUBSCRIBE_DELAY = 1000;
const REPAIR_TIMEOUT = 1000;

/** The bytes of a message: its id. */
function payloadOf(id: number): Uint8Array {
  return new TextEncoder().encode(String(id).padStart(8, "0"));
}

function idOf(payload: Uint8Array): number {
  return Number(new TextDecoder().decode(payload));
}

/** A node with the numbers and repairs of one hub, on a simulated bus. */
export class FarmNode {
  readonly name: string;
  readonly host: Host;
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;
  readonly neighbours: Neighbours;
  readonly #simulation: Simulation;
  readonly #bounds: Bounds;
  readonly #observer: Observer;
  readonly #channels = new Map<string, Channel>();
  readonly #numbering: Numbering;
  readonly #repair: Repair;
  readonly #backlog = new Set<Waiting>();
  /** The messages that were handed over and not answered. */
  readonly #uncertain = new Set<number>();
  #signs = 0;
  #looks = false;
  /** How many questions it has asked. */
  questions = 0;

  constructor(bus: Bus, name: string, bounds: Bounds, observer: Observer) {
    const simulation = this.#simulation = bus.simulation;
    this.name = name;
    this.#bounds = bounds;
    this.#observer = observer;
    const host = this.host = new Host(simulation, name);
    this.#numbering = new Numbering(bounds.ringBytes, bounds.answerBytes);
    const limits = { timeout: REPAIR_TIMEOUT, maximumBytes: bounds.heldBytes };
    const repair = this.#repair = new Repair(this.#effects(), limits);
    this.neighbours = new Neighbours(simulation.now, (node) => {
      repair.ended(node, "dead", simulation.now);
    });
    this.subscriber = new Subscriber(bus, host, {
      received: (channel, packet) => this.#received(channel, packet),
      confirmed: (channel) => this.#confirmed(channel),
      away: () => repair.away(),
      open: (again) => this.#opened(again),
    });
    this.subscriber.subscribe(SIGNS);
    this.subscriber.subscribe(`to:${name}`);
    this.publisher = new Publisher(bus, host, () => this.#flush());
    const beat = () => {
      this.#beat();
      host.after(1000, beat);
    };
    host.after(simulation.dice.below(1000), beat);
  }

  /** Whether nothing is under way. */
  get idle(): boolean {
    return this.#repair.idle && this.#backlog.size === 0 && this.#uncertain.size === 0;
  }

  /** The members of a channel here. */
  members(channel: string): Iterable<string> {
    return this.#channels.get(channel)?.members ?? [];
  }

  /** When the bus was asked for a channel. */
  requestedAt(channel: string): number {
    return this.#channels.get(channel)?.heard.requestedAt ?? 0;
  }

  send(channel: string, id: number): void {
    this.#observer.delivered(this, channel, id, true);
    if (this.publisher.live && this.#backlog.size === 0) {
      return this.#handOver({ channel, id }, this.#simulation.now + OUTAGE_TIMEOUT);
    }
    if (this.#backlog.size >= this.#bounds.backlog) return this.#observer.settled(id, false);
    const waiting = { channel, id };
    this.#backlog.add(waiting);
    this.host.after(OUTAGE_TIMEOUT, () => {
      if (this.#backlog.delete(waiting)) this.#observer.settled(id, false);
    });
  }

  join(name: string, member: string, done: (joined: boolean) => void): void {
    const channel = this.#channels.get(name) ?? this.#listen(name);
    channel.members.add(member);
    channel.emptySince = undefined;
    if (channel.heard.confirmedAt !== undefined) return done(true);
    channel.waiting.push(done);
    this.host.after(SUBSCRIBE_TIMEOUT, () => {
      if (!channel.waiting.includes(done)) return;
      channel.waiting = channel.waiting.filter((other) => other !== done);
      this.#leave(channel, member);
      done(false);
    });
  }

  leave(name: string, member: string): void {
    const channel = this.#channels.get(name);
    if (channel !== undefined) this.#leave(channel, member);
  }

  #listen(name: string): Channel {
    const heard = new HeardChannel(name, [], false);
    const channel = { heard, members: new Set<string>(), waiting: [], emptySince: undefined };
    this.#channels.set(name, channel);
    this.#repair.requested(heard, this.#simulation.now);
    this.subscriber.subscribe(name);
    return channel;
  }

  #leave(channel: Channel, member: string): void {
    if (!channel.members.delete(member) || channel.members.size > 0) return;
    channel.emptySince = this.#simulation.now;
  }

  #confirmed(name: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined || channel.heard.confirmedAt !== undefined) return;
    this.#repair.confirmed(channel.heard, this.#simulation.now);
    const { waiting } = channel;
    channel.waiting = [];
    for (const done of waiting) done(true);
  }

  #opened(again: boolean): void {
    const { now } = this.#simulation;
    this.neighbours.listensFrom(now);
    if (again) this.#repair.missed(now);
    this.#lookSoon();
    this.#sign();
  }

  #handOver({ channel, id }: Waiting, deadline: number): void {
    const { now } = this.#simulation;
    const numbering = this.#numbering;
    const alone = this.neighbours.isAlone(now);
    const back = alone ? numbering.nextAlone(now) : numbering.next(channel, now);
    if (!alone) numbering.keep(back, payloadOf(id), now);
    const { number } = numbering;
    this.#observer.handedOver(id, number, alone);
    this.publisher.publish(
      channel,
      { kind: "data", node: this.name, number, back, id },
      (taken) => {
        if (taken) return this.#observer.settled(id, true);
        this.#uncertain.add(id);
        const settle = (accepted: boolean) => {
          if (this.#uncertain.delete(id)) this.#observer.settled(id, accepted);
        };
        if (!numbering.unanswered(channel, number, () => settle(true))) return settle(false);
        this.host.after(Math.max(0, deadline - this.#simulation.now), () => settle(false));
      },
    );
  }

  #flush(): void {
    for (const waiting of this.#backlog) {
      this.#backlog.delete(waiting);
      this.#handOver(waiting, this.#simulation.now);
    }
    this.#sign();
  }

  #sign(): void {
    if (!this.publisher.live) return;
    const room = { tails: 500, characters: Infinity };
    const sign = this.#numbering.sign("hub", room, this.#simulation.now);
    const packet: SignPacket = { kind: "sign", node: this.name, id: ++this.#signs, sign };
    this.publisher.publish(SIGNS, packet, (taken) => this.#numbering.signed(sign, taken));
  }

  #tell(node: string, message: HubMessage): void {
    this.#simulation.log(() => `${this.name} says to ${node}: ${JSON.stringify(message)}`);
    if (this.publisher.live) this.publisher.publish(`to:${node}`, message);
  }

  #received(channel: string, packet: Packet): void {
    const { now } = this.#simulation;
    if (packet.node === this.name) return;
    if (packet.kind === "sign") {
      // A hello, which every node answers.
      if (!this.neighbours.knows(packet.node)) this.#sign();
      const missed = this.neighbours.heard(packet.node, now, packet.id);
      this.#repair.sign(packet.node, packet.sign, missed, now);
      return this.#lookSoon();
    }
    this.neighbours.heard(packet.node, now);
    switch (packet.kind) {
      case "data":
        return this.#arrived(channel, packet);
      case "askIndex":
      case "askMessages":
        return this.#answer(packet);
      case "index":
        return this.#repair.indexed(packet.node, packet, now);
      case "messages":
        return this.#repair.repeated(packet.node, packet, now);
    }
  }

  #arrived(name: string, { node, number, back, id }: Data): void {
    const heard = this.#channels.get(name)?.heard;
    if (heard?.confirmedAt === undefined) return;
    const arrival = { node, number, back, payload: payloadOf(id) };
    if (
      this.#repair.continues(heard, node, number, back) ||
      this.#repair.arrived(heard, arrival, this.#simulation.now)
    ) {
      this.#observer.delivered(this, name, id, false);
    }
  }

  #answer({ id, node: to, ...asked }: HubMessage & RepairQuestion): void {
    const { now } = this.#simulation;
    const { after, age, hub } = asked;
    const about = { id, node: this.name, hub, after };
    if (asked.kind === "askIndex") {
      const index = this.#numbering.index(after, age, now);
      return this.#tell(to, { kind: "index", ...about, ...index });
    }
    const { channel } = asked;
    const repetition = this.#numbering.repeat(channel, after, age, now);
    // The bytes of the ring change before the simulated bus hands them on.
    const messages = repetition.messages.map(({ payload, ...message }) => ({
      ...message,
      payload: payload && payload.slice(),
    }));
    this.#tell(to, { kind: "messages", ...about, channel, ...repetition, messages });
  }

  #beat(): void {
    const { now } = this.#simulation;
    this.neighbours.beat(now);
    this.#sign();
    if (this.subscriber.open) this.neighbours.judge(now);
    for (const [name, { heard, emptySince }] of this.#channels) {
      if (emptySince === undefined || now - emptySince < UNSUBSCRIBE_DELAY) continue;
      this.#channels.delete(name);
      this.subscriber.unsubscribe(name);
      this.#repair.closed(heard);
    }
  }

  /** Looks at what is asked until nothing is. */
  #lookSoon(): void {
    if (this.#looks || this.#repair.idle) return;
    this.#looks = true;
    this.host.after(50, () => {
      this.#looks = false;
      this.#repair.tick(this.#simulation.now);
      this.#lookSoon();
    });
  }

  #effects(): RepairEffects {
    const { host } = this;
    const isOpen = () => this.publisher.live && this.subscriber.open;
    return {
      get open() {
        return isOpen();
      },
      lossy: true,
      channel: (name) => this.#channels.get(name)?.heard,
      channels: () => [...this.#channels.values()].map(({ heard }) => heard),
      deliver: ({ name }, payload) => this.#observer.delivered(this, name, idOf(payload), false),
      ask: (to, question) => {
        this.questions++;
        this.#tell(to, { ...question, node: this.name, hub: "hub" });
        this.#lookSoon();
        return true;
      },
      soon: (call) => host.after(1, () => call(this.#simulation.now)),
      lost: ({ name }, missing) => this.#observer.lost(this, name, missing),
      settled: () => {},
      met: () => {},
    };
  }
}
