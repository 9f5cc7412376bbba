import { assertEquals } from "@std/assert";
import { HeardChannel } from "../../../hub/bus/heard_channel.ts";
import { Repair } from "../../../hub/bus/repair.ts";
import type { RepairQuestion } from "../../../hub/bus/repair_effects.ts";

/** A node that listens to channels, and misses messages of one other node. */
class Listener {
  readonly delivered: string[] = [];
  readonly lost: string[] = [];
  readonly asked: RepairQuestion[] = [];
  readonly repair: Repair;
  readonly #channels = new Map<string, HeardChannel>();

  constructor(maximumBytes: number) {
    this.repair = new Repair({
      open: true,
      lossy: false,
      channel: (name) => this.#channels.get(name),
      channels: () => this.#channels.values(),
      deliver: (_channel, payload) => this.delivered.push(new TextDecoder().decode(payload)),
      ask: (_node, question) => this.asked.push(question),
      lost: ({ name }, missing) => this.lost.push(`${missing} on ${name}`),
      met: () => {},
      settled: () => {},
    }, { timeout: 1000, maximumBytes });
  }

  /** A message of the other node comes; it is its own text. */
  hear(name: string, number: number, back: number): void {
    const payload = payloadOf(number);
    const arrival = { node: "other", number, back, payload };
    if (this.repair.arrived(this.channel(name), arrival, 0)) this.delivered.push(`${number}`);
  }

  /** The other node repeats messages of a channel, each one number behind the one before. */
  repeat(channel: string, after: number, ...numbers: number[]): void {
    const id = this.asked.at(-1)?.id ?? 0;
    const upTo = numbers.at(-1) ?? after;
    const messages = numbers.map((number) => ({
      ...{ number, back: 1, age: 0, payload: payloadOf(number) },
    }));
    const about = { kind: "messages", id, node: "other", hub: "hub" } as const;
    this.repair.repeated("other", { ...about, channel, after, upTo, missing: 0, messages }, 0);
  }

  channel(name: string): HeardChannel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      this.#channels.set(name, channel = new HeardChannel(name, [], false));
      channel.confirmedAt = 0;
    }
    return channel;
  }
}

function payloadOf(number: number): Uint8Array {
  return new TextEncoder().encode(`${number}`);
}

Deno.test("Repair asks for messages that there was no room to hold", () => {
  const listener = new Listener(0);
  listener.hear("one", 1, 0);
  listener.hear("one", 3, 1);
  listener.hear("one", 4, 1);
  assertEquals(listener.delivered, ["1"]);
  listener.repeat("one", 1, 2, 3);
  assertEquals(listener.delivered, ["1", "2", "3"]);
  listener.repeat("one", 3, 4);
  listener.hear("one", 5, 1);
  assertEquals(listener.delivered, ["1", "2", "3", "4", "5"]);
  assertEquals(listener.lost, []);
});

Deno.test("Repair delivers at once, and reports a loss, while there are too many holes", () => {
  // There is room for one message.
  const listener = new Listener(150);
  const full = 10_000;
  for (let index = 0; index < full; index++) listener.hear(`channel ${index}`, 2, 1);
  assertEquals(listener.delivered, []);
  listener.hear("one more", 20_000, 1);
  assertEquals(listener.delivered, ["20000"]);
  assertEquals(listener.lost, ["1 on one more"]);
  for (let index = 0; index < full; index++) {
    listener.repair.closed(listener.channel(`channel ${index}`));
  }
  // What was held for them is given back.
  listener.hear("last", 30_002, 1);
  listener.repeat("last", 0, 30_001);
  assertEquals(listener.delivered.slice(1), ["30001", "30002"]);
  assertEquals(listener.lost.length, 1);
});
