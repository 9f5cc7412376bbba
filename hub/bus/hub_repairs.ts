import { visitAll } from "../scheduling/visits.ts";
import { Answers } from "./answers.ts";
import { QuestionIds } from "./asked.ts";
import type { OutgoingOptions } from "./backlog.ts";
import type { CatchUp } from "./catch_up.ts";
import type { ClusterHub } from "./cluster.ts";
import type { HeardChannel } from "./heard_channel.ts";
import { REPEAT_INTERVAL } from "./holes.ts";
import type { InvocationEnvelope } from "./invocation.ts";
import type { MoveMessage } from "./move_messages.ts";
import { MovedMembers, type MovedMembersParts } from "./moved_members.ts";
import type { NodeContext } from "./node_context.ts";
import type { Here, HubMessage, HubSign } from "./node_messages.ts";
import type { Numbering } from "./numbering.ts";
import { Peers } from "./peers.ts";
import type { Recipient } from "./recipient.ts";
import { Repair } from "./repair.ts";
import type { RepairEffects, RepairQuestion } from "./repair_effects.ts";

/** The options that repairs read. */
export interface RepairOptions extends OutgoingOptions {
  readonly repairTimeout: number;
}

/** The channels of a hub, and what becomes of messages on them. */
export interface RepairChannels {
  channel(name: string): HeardChannel | undefined;
  channels(): Iterable<HeardChannel>;
  deliver(channel: HeardChannel, payload: Uint8Array): void;
  isMember(channel: HeardChannel, recipient: Recipient): boolean;
  /** Whether messages of this node wait for the bus. */
  waits(): boolean;
}

/** Takes what is heard of other nodes. */
export interface NodeListener {
  /** Another node has answered a knock of this node. */
  here(answer: Here): void;
  /** Another node says something about a connection that moves. */
  moving(message: MoveMessage): void;
  /** Another node is there no more. */
  ended(node: string): void;
}

/** The pause between two looks at what is asked, in milliseconds. */
const LOOK = REPEAT_INTERVAL / 5;
/** How many questions a hub asks in a second at most, whatever others publish. */
const MAXIMUM_QUESTIONS = 5000;
/** The pause before the next sign when one cannot tell everything, in milliseconds. */
const SIGN_PAUSE = 100;

/** The repairs of one hub: what {@link Repair} and {@link Numbering} say goes to other nodes and comes from them. */
export class HubRepairs implements ClusterHub {
  readonly name: string;
  readonly repair: Repair;
  readonly moved: MovedMembers;
  readonly #context: NodeContext<RepairOptions>;
  readonly #numbering: Numbering;
  readonly #answers: Answers;
  readonly #listener: NodeListener;
  readonly #listening: Disposable;
  /** How many questions were asked since a time. */
  #asked = 0;
  #askedSince = -Infinity;
  #look: Disposable | undefined;
  #nextSign: Disposable | undefined;

  constructor(
    name: string,
    context: NodeContext<RepairOptions>,
    numbering: Numbering,
    channels: RepairChannels,
    listener: NodeListener,
  ) {
    this.name = name;
    this.#context = context;
    this.#numbering = numbering;
    this.#answers = new Answers(context, numbering);
    this.#listener = listener;
    const { repairTimeout: timeout, repairBufferBytes: maximumBytes } = context.options;
    const { backplane, cluster, gaps, serverName } = context;
    const ids = new QuestionIds();
    const peers = new Peers((node) => cluster.met(node));
    const effects = this.#effects(channels);
    const repair = this.repair = new Repair(effects, { timeout, maximumBytes }, peers, ids);
    const parts: MovedMembersParts = {
      ...{ serverName, effects, ids, repair, peers, numbering },
      lives: (node) => cluster.lives(node),
      isMember: (channel, recipient) => channels.isMember(channel, recipient),
      waits: () => channels.waits(),
      lookSoon: () => this.#lookSoon(),
    };
    this.moved = new MovedMembers(context, parts);
    this.#listening = backplane.onStatus(({ status, gap }) => {
      for (const repair of this.#repairs()) {
        if (status !== "open") repair.away();
        else if (gap === undefined) repair.back();
        else repair.missed(this.#now);
      }
    });
    gaps.join(this);
    cluster.join(this);
  }

  sign(tails: number, characters: number, last: boolean): HubSign {
    const sign = this.#numbering.sign(this.name, { tails, characters, last }, this.#now);
    if (this.#numbering.overflows) this.#signSoon();
    return sign;
  }

  signed(sign: HubSign, accepted: boolean): void {
    this.#numbering.signed(sign, accepted);
  }

  heard(node: string, sign: HubSign, missed: boolean): void {
    this.repair.sign(node, sign, missed, this.#now);
    this.moved.sign(node, sign, missed);
    this.#lookSoon();
  }

  received(message: HubMessage): void {
    switch (message.kind) {
      case "here":
        return this.#listener.here(message);
      case "moveState":
      case "moveReceipt":
      case "moveRefusal":
        return this.#listener.moving(message);
      case "askIndex":
      case "askMessages":
        return this.#answers.give(message);
      case "index":
        this.repair.indexed(message.node, message, this.#now);
        return this.moved.answered(message);
      case "messages":
        this.repair.repeated(message.node, message, this.#now);
        return this.moved.answered(message);
    }
  }

  ended(node: string, how: "gone" | "dead"): void {
    for (const repair of this.#repairs()) repair.ended(node, how, this.#now);
    this.#lookSoon();
    this.#listener.ended(node);
  }

  /**
   * Whether a message that has come is to be delivered now: it is the next of its sender, or has no number.
   */
  follows(channel: HeardChannel, message: InvocationEnvelope, payload: Uint8Array): boolean {
    const { origin, number, back } = message;
    if (origin === undefined || number === undefined) {
      this.#context.gaps.unnumbered();
      return true;
    }
    if (!this.moved.none) {
      this.moved.received(channel, { node: origin, number, back, payload }, message);
    }
    if (this.repair.continues(channel, origin, number, back)) return true;
    const arrival = { node: origin, number, back, payload };
    const follows = this.repair.arrived(channel, arrival, this.#now);
    // A hole that waits while no question can leave is asked for when the bus is back, whoever is heard then.
    if (!follows) this.#lookSoon();
    return follows;
  }

  /** Forgets the numbers of nodes that have ended long ago. Called by the heartbeat. */
  sweep(channels: Iterable<HeardChannel>): void {
    const old = this.repair.forgetOld(this.#now);
    if (old.length === 0) return;
    visitAll(this.#context, channels, (channel) => {
      for (const peer of old) channel.forget(peer);
    });
  }

  /** Ends what is asked. */
  close(): void {
    this.#listening[Symbol.dispose]();
    this.moved.close();
    this.#look?.[Symbol.dispose]();
    this.#nextSign?.[Symbol.dispose]();
  }

  /** Something may be missing: looks at it until nothing is. */
  #lookSoon(): void {
    if (this.#look !== undefined || (this.repair.idle && this.moved.none)) return;
    this.#look = this.#context.clock.after(LOOK, () => {
      this.#look = undefined;
      this.repair.tick(this.#now);
      this.moved.tick(this.#now);
      this.#lookSoon();
    });
  }

  /** The repairs of all members, and those of each one that has come from another node. */
  *#repairs(): Generator<Repair | CatchUp, void> {
    yield this.repair;
    yield* this.moved;
  }

  #signSoon(): void {
    this.#nextSign ??= this.#context.clock.after(SIGN_PAUSE, () => {
      this.#nextSign = undefined;
      this.#context.cluster.sign();
    });
  }

  #effects(channels: RepairChannels): RepairEffects {
    const { cluster, gaps, scheduler, serverName: node } = this.#context;
    const ask = (to: string, asked: RepairQuestion) => {
      const leaves = this.#mayAsk();
      if (leaves) void cluster.tell(to, { ...asked, node, hub: this.name });
      this.#lookSoon();
      return leaves;
    };
    return {
      get open() {
        return cluster.status === "open";
      },
      get lossy() {
        return !cluster.counts;
      },
      hears: (node) => cluster.hears(node),
      channel: (name) => channels.channel(name),
      channels: () => channels.channels(),
      deliver: (channel, payload) => channels.deliver(channel, payload),
      ask,
      soon: (call) => void scheduler.nextTurn().then(() => call(this.#now)),
      lost: ({ name }, missing) => gaps.lost(name, missing),
      settled: () => gaps.settled(this),
      met: (node) => cluster.met(node),
    };
  }

  /** Whether one more question may leave in this second; if not, its repetition may. */
  #mayAsk(): boolean {
    const now = this.#now;
    if (now - this.#askedSince >= 1000) {
      this.#askedSince = now;
      this.#asked = 0;
    }
    return this.#asked++ < MAXIMUM_QUESTIONS;
  }

  get #now(): number {
    return this.#context.time.now();
  }
}
