import { HeardChannel } from "../../../hub/bus/heard_channel.ts";
import type { ChannelNumber, HubSign, RepeatedMessage } from "../../../hub/bus/node_messages.ts";
import { Repair } from "../../../hub/bus/repair.ts";
import type { RepairQuestion } from "../../../hub/bus/repair_effects.ts";

/** The text of a message is its number. */
function payloadOf(number: number): Uint8Array {
  return new TextEncoder().encode(`${number}`);
}

/** A node that listens to channels, and misses messages of others; time passes when the test says so. */
export class RepairingNode {
  now = 0;
  /** Whether its bus is there, and whether that may lose messages by itself. */
  open = true;
  lossy = false;
  /** The messages, in the order of their delivery. */
  readonly delivered: string[] = [];
  readonly lost: string[] = [];
  readonly asked: RepairQuestion[] = [];
  readonly met: string[] = [];
  /** How often it has recovered from an outage. */
  settled = 0;
  readonly repair: Repair;
  readonly #channels = new Map<string, HeardChannel>();
  /** The highest number that has come. */
  #highest = 0;

  /** `maximumBytes` bounds what is held. */
  constructor(maximumBytes = 1 << 20) {
    // deno-lint-ignore no-this-alias
    const node = this;
    this.repair = new Repair({
      get open() {
        return node.open;
      },
      get lossy() {
        return node.lossy;
      },
      channel: (name) => this.#channels.get(name),
      channels: () => this.#channels.values(),
      deliver: (_channel, payload) => this.delivered.push(new TextDecoder().decode(payload)),
      ask: (_node, question) => this.asked.push(question) > 0,
      lost: ({ name }, missing) => this.lost.push(`${missing} on ${name}`),
      soon: (call) => call(this.now),
      met: (name) => this.met.push(name),
      settled: () => this.settled++,
    }, { timeout: 1000, maximumBytes });
  }

  /** A channel that it listens to, confirmed at once. */
  channel(name: string): HeardChannel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      this.#channels.set(name, channel = new HeardChannel(name, [], false));
      this.repair.requested(channel, this.now);
      this.repair.confirmed(channel, this.now);
    }
    return channel;
  }

  /** A message of another node comes. */
  hear(name: string, number: number, back: number, node = "other"): void {
    this.#highest = Math.max(this.#highest, number);
    const arrival = { node, number, back, payload: payloadOf(number) };
    const channel = this.channel(name);
    if (
      this.repair.continues(channel, node, number, back) ||
      this.repair.arrived(channel, arrival, this.now)
    ) {
      this.delivered.push(`${number}`);
    }
  }

  /** A sign of another node comes. */
  hearSign(sign: Partial<HubSign>, missed = false, node = "other"): void {
    this.#highest = Math.max(this.#highest, sign.number ?? 0);
    const whole = { hub: "hub", number: 0, told: 0, tails: [], ...sign };
    this.repair.sign(node, whole, missed, this.now);
  }

  /** The last question is answered: with messages, each of which is one number behind the one before. */
  repeat(channel: string, after: number, ...numbers: number[]): void {
    this.answer(channel, after, numbers.map((number) => ({ number })));
  }

  /** The last question is answered. */
  answer(
    channel: string,
    after: number,
    parts: readonly Partial<RepeatedMessage>[],
    {
      id = this.asked.at(-1)?.id ?? 0,
      missing = 0,
      upTo = parts.at(-1)?.number ?? after,
      number = this.#highest,
    } = {},
  ): void {
    const messages = parts.map((part) => {
      const { number = 0 } = part;
      return { number, back: 1, age: 0, payload: payloadOf(number), ...part };
    });
    const about = { kind: "messages", id, node: "other", hub: "hub" } as const;
    const answer = { ...about, channel, after, upTo, number, missing, messages };
    this.repair.repeated("other", answer, this.now);
  }

  /** The last question is answered with an index. */
  index(channels: readonly ChannelNumber[], number: number, from = 1, age?: number): void {
    const { id, after } = this.asked.at(-1) ?? { id: 0, after: 0 };
    const about = { kind: "index", id, node: "other", hub: "hub", after } as const;
    const answer = { ...about, upTo: number, number, from, age, channels };
    this.repair.indexed("other", answer, this.now);
  }

  /** Lets time pass, and looks at what is asked every 50 ms, as a hub does. */
  pass(milliseconds: number): void {
    for (let left = milliseconds; left > 0; left -= 50) {
      this.now += Math.min(left, 50);
      this.repair.tick(this.now);
    }
  }
}
