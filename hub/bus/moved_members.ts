import { visitAll } from "../scheduling/visits.ts";
import { CatchUp } from "./catch_up.ts";
import type { CatchUpParts } from "./catch_up_parts.ts";
import type { HeardChannel } from "./heard_channel.ts";
import type { HeardNumbers, NodeNumber } from "./heard_numbers.ts";
import type { InvocationEnvelope } from "./invocation.ts";
import type { NodeContext } from "./node_context.ts";
import type { ChannelNumber, HubSign, IndexAnswer, MessagesAnswer } from "./node_messages.ts";
import type { Numbering } from "./numbering.ts";
import type { Recipient } from "./recipient.ts";
import type { Arrival, RepairQuestion } from "./repair_effects.ts";
import { SharedQuestions } from "./shared_questions.ts";
import { writeTo } from "./write_to.ts";

/** What {@link MovedMembers} needs of its hub. */
export interface MovedMembersParts extends Omit<CatchUpParts, "ask" | "limits"> {
  readonly numbering: Numbering;
  /** Whether messages of this node wait for the bus: they have no numbers yet. */
  waits(): boolean;
  /** Something is asked: looks until nothing is. */
  lookSoon(): void;
}

/** For how long a member waits for a message that a node does not repeat, in milliseconds. */
const PATIENCE = 5000;
/** How many bytes a member may hold while it waits. */
const MAXIMUM_HELD_BYTES = 64 * 1024;

const NOBODY: readonly never[] = [];

/** The members of channels that leave for another node, and those that come from one. */
export class MovedMembers implements Iterable<CatchUp> {
  readonly #context: Pick<NodeContext, "time" | "scheduler" | "limitedLog">;
  readonly #parts: MovedMembersParts;
  /** Those that catch up, each with the channels that it has joined. */
  readonly #catchUps = new Map<CatchUp, readonly HeardChannel[]>();
  readonly #byChannel = new Map<HeardChannel, Set<CatchUp>>();
  readonly #questions: SharedQuestions<CatchUp>;

  constructor(
    context: Pick<NodeContext, "time" | "scheduler" | "limitedLog">,
    parts: MovedMembersParts,
  ) {
    this.#context = context;
    this.#parts = parts;
    this.#questions = new SharedQuestions((node, question) => parts.effects.ask(node, question));
  }

  /** Whether nobody catches up. */
  get none(): boolean {
    return this.#catchUps.size === 0;
  }

  /** Whether all messages of this node have numbers: none waits for the bus. */
  get ready(): boolean {
    return !this.#parts.waits();
  }

  [Symbol.iterator](): Iterator<CatchUp> {
    return this.#catchUps.keys();
  }

  /**
   * What a member of `channels` has had of them; it leaves all of them now. Returns nothing while nobody can
   * say that: the bus is away, or the member itself lacks something that is lost.
   */
  leave(recipient: Recipient, channels: readonly HeardChannel[]): HeardNumbers | undefined {
    const { numbering, peers, repair, serverName } = this.#parts;
    const catchUp = this.#catchUps.keys().find((one) => one.recipient === recipient);
    if (!this.ready || catchUp?.failed) return undefined;
    const nodes: NodeNumber[] = [[serverName, numbering.number]];
    const last = channels.map((): NodeNumber[] => []);
    for (const peer of peers) {
      if (!peer.alive) continue;
      const { name } = peer;
      const reached = channels.map((channel) =>
        catchUp?.reached(channel, name) ?? repair.whole(channel, peer)
      );
      const least = Math.min(...reached);
      nodes.push([name, least]);
      for (const [index, number] of reached.entries()) {
        if (number > least) last[index]?.push([name, number]);
      }
    }
    if (catchUp !== undefined) this.#end(catchUp);
    return {
      nodes,
      channels: channels.flatMap(({ name: channel }, index) => {
        const numbers = last[index] ?? [];
        return numbers.length > 0 ? [{ channel, last: numbers }] : [];
      }),
    };
  }

  /**
   * Brings a member that was at another node what it has missed on `channels`, which it has joined in this
   * turn. The messages of this node come before this returns. Resolves with `true` when nothing is missing,
   * or with `false` if something is lost, or a channel is not confirmed. Only if {@link ready}.
   */
  join(
    recipient: Recipient,
    heard: HeardNumbers,
    channels: readonly HeardChannel[],
    confirmed: Promise<unknown>,
  ): Promise<boolean> {
    const { time } = this.#context;
    const ask = (node: string, question: RepairQuestion) =>
      this.#questions.ask(node, question, catchUp, time.now());
    const limits = { timeout: PATIENCE, maximumBytes: MAXIMUM_HELD_BYTES };
    const parts = { ...this.#parts, limits, ask };
    const catchUp: CatchUp = new CatchUp(recipient, heard, channels, parts, time.now());
    this.#catchUps.set(catchUp, channels);
    for (const channel of channels) {
      const catchUps = this.#byChannel.get(channel);
      if (catchUps === undefined) this.#byChannel.set(channel, new Set([catchUp]));
      else catchUps.add(catchUp);
    }
    if (!this.#serve(catchUp, heard)) catchUp.fail();
    confirmed.then(() => {
      catchUp.begin(time.now());
      this.#parts.lookSoon();
    }, () => catchUp.fail());
    this.#parts.lookSoon();
    return catchUp.whole;
  }

  /** The members that do not get a message of another node as all others do. */
  following(channel: HeardChannel): readonly string[] {
    const catchUps = this.#byChannel.get(channel);
    if (catchUps === undefined) return NOBODY;
    const ids: string[] = [];
    for (const catchUp of catchUps) {
      if (catchUp.follows(channel)) ids.push(catchUp.recipient.id);
    }
    return ids;
  }

  /** A message of another node has come: those that catch up get it if it is their next one. */
  received(
    channel: HeardChannel,
    arrival: Arrival,
    { frames, excluded }: InvocationEnvelope,
  ): void {
    for (const catchUp of this.#byChannel.get(channel) ?? NOBODY) {
      const own = catchUp.received(channel, arrival, this.#context.time.now());
      if (own !== undefined) writeTo(own.audience, frames, own.heedsExclusions ? excluded : NOBODY);
    }
  }

  /** A sign of another node has come; most of its tails are of channels that no member has. */
  sign(node: string, sign: HubSign, missed: boolean): void {
    if (this.none) return;
    const now = this.#context.time.now();
    const tails = new Map(sign.tails);
    for (const catchUp of this.#catchUps.keys()) {
      const own: ChannelNumber[] = [];
      for (const { name } of catchUp.channels) {
        const number = tails.get(name);
        if (number !== undefined) own.push([name, number]);
      }
      catchUp.sign(node, { ...sign, tails: own }, missed, now);
    }
  }

  /** Another node has answered questions, of members that catch up or of others. */
  answered(answer: IndexAnswer | MessagesAnswer): void {
    if (this.none) return;
    const now = this.#context.time.now();
    for (const [id, catchUp] of this.#questions.answered(answer.id, now)) {
      catchUp.answered({ ...answer, id }, now);
    }
  }

  /** Asks again, and serves those that have caught up like all others. */
  tick(now: number): void {
    this.#questions.forgetOld(now);
    visitAll(this.#context, this.#catchUps.keys(), (catchUp) => {
      catchUp.tick(now);
      if (catchUp.isDone(now)) this.#end(catchUp);
    });
  }

  /** Nobody catches up any more. */
  close(): void {
    for (const catchUp of this.#catchUps.keys()) this.#end(catchUp);
  }

  #end(catchUp: CatchUp): void {
    for (const channel of this.#catchUps.get(catchUp) ?? NOBODY) {
      const catchUps = this.#byChannel.get(channel);
      if (catchUps?.delete(catchUp) && catchUps.size === 0) this.#byChannel.delete(channel);
    }
    this.#catchUps.delete(catchUp);
    // A question whose answer was lost would keep the member that asked.
    if (this.none) this.#questions.clear();
    catchUp.end();
  }

  /** Delivers what this node has published; returns whether it still knows everything. */
  #serve(catchUp: CatchUp, { nodes, channels }: HeardNumbers): boolean {
    const { effects, numbering, serverName } = this.#parts;
    const of = (numbers: readonly NodeNumber[] = []) =>
      numbers.find(([node]) => node === serverName)?.[1];
    const sure = of(nodes) ?? 0;
    if (!numbering.knowsAfter(sure)) return false;
    for (const own of catchUp.channels) {
      let after = of(channels.find(({ channel }) => channel === own.name)?.last) ?? sure;
      while (after < numbering.number) {
        const part = numbering.repeat(own.name, after, undefined, this.#context.time.now());
        if (part.missing > 0) return false;
        for (const { payload } of part.messages) {
          if (payload === null) return false;
          // A copy: the ring would stay in memory for as long as the client does not acknowledge the message.
          if (payload !== undefined) effects.deliver(own, payload.slice());
        }
        after = part.upTo;
      }
    }
    return true;
  }
}
