import { assertEquals } from "@std/assert";
import type { BackplaneStatus, BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import { HeardChannel } from "../../../hub/bus/heard_channel.ts";
import { HubRepairs } from "../../../hub/bus/hub_repairs.ts";
import type { InvocationEnvelope } from "../../../hub/bus/invocation.ts";
import type { NodeContext } from "../../../hub/bus/node_context.ts";
import type { HubMessage } from "../../../hub/bus/node_messages.ts";
import { Numbering } from "../../../hub/bus/numbering.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { settle } from "../../kit/pipe.ts";

const NOTHING = { here: () => {}, moving: () => {}, ended: () => {} };

/** A node that listens to channels of a sender that answers every question at once. */
class Listening {
  readonly time = new ManualClock();
  readonly sender = new Numbering(1 << 20);
  readonly repairs: HubRepairs;
  /** Whether its questions reach the sender. */
  status: BackplaneStatus = "open";
  delivered = 0;
  readonly lost: string[] = [];
  readonly #channels = new Map<string, HeardChannel>();

  constructor() {
    const { time } = this;
    const open = () => this.status;
    const status: ((event: BackplaneStatusEvent) => void)[] = [];
    const disposable = { [Symbol.dispose]: () => {} };
    const context = {
      ...{ serverName: "self", time, clock: time, scheduler: new Scheduler(time) },
      backplane: {
        status: "open",
        onStatus: (call: typeof status[0]) => (status.push(call), disposable),
      },
      gaps: {
        ...{ join: () => {}, settled: () => {}, unnumbered: () => {} },
        lost: (channel: string) => this.lost.push(channel),
      },
      cluster: {
        ...{ counts: true, hears: () => true, join: () => {}, met: () => {} },
        get status() {
          return open();
        },
        tell: (_node: string, message: HubMessage) => this.#asked(message),
      },
      options: { repairTimeout: 1000, repairBufferBytes: 1 << 20, outageTimeout: 5000 },
    } as unknown as NodeContext<
      { repairTimeout: number; repairBufferBytes: number; outageTimeout: number }
    >;
    this.repairs = new HubRepairs("hub", context, new Numbering(0), {
      channel: (name) => this.#channels.get(name),
      channels: () => this.#channels.values(),
      deliver: () => this.delivered++,
      isMember: () => true,
      waits: () => false,
    }, NOTHING);
  }

  /** A channel that this node listens to, on which the sender publishes something that is lost. */
  miss(name: string): HeardChannel {
    const channel = new HeardChannel(name, [], false);
    this.#channels.set(name, channel);
    this.repairs.repair.requested(channel, this.time.now());
    this.repairs.repair.confirmed(channel, this.time.now());
    const back = this.sender.next(name, this.time.now());
    this.sender.keep(back, new Uint8Array(10), this.time.now());
    return channel;
  }

  /** The sender publishes something that arrives; returns whether it is to be delivered at once. */
  hear(channel: HeardChannel): boolean {
    const payload = new Uint8Array(10);
    const back = this.sender.next(channel.name, this.time.now());
    this.sender.keep(back, payload, this.time.now());
    const numbers = { origin: "sender", number: this.sender.number, back };
    return this.repairs.follows(channel, numbers as InvocationEnvelope, payload);
  }

  /** Time passes, and the sender answers meanwhile. */
  async pass(duration: number): Promise<void> {
    for (let ms = 0; ms < duration; ms += 50) {
      await settle();
      this.time.advance(50);
    }
  }

  #asked(message: HubMessage): Promise<undefined> {
    if (message.kind === "askMessages") {
      const { id, hub, channel, after, age } = message;
      const about = { id, hub, channel, after, node: "sender" };
      const repetition = this.sender.repeat(channel, after, age, this.time.now());
      void Promise.resolve().then(() =>
        this.repairs.received({ kind: "messages", ...about, ...repetition })
      );
    }
    return Promise.resolve(undefined);
  }
}

Deno.test("HubRepairs loses nothing of a sender that answers, however many channels have holes", async () => {
  const node = new Listening();
  const channels = 3000;
  node.time.advance(1000);
  for (let index = 0; index < channels; index++) node.miss(`channel ${index}`);
  const tails = [...Array(channels).keys()].map((n) => [`channel ${n}`, n + 1] as const);
  const sign = { hub: "hub", number: channels, told: channels, tails };
  node.repairs.heard("sender", { ...sign, number: 0, told: 0, tails: [] }, false);
  node.repairs.heard("sender", sign, false);
  await node.pass(10_000);
  node.repairs.close();
  assertEquals([node.lost.length, node.delivered], [0, channels]);
});

Deno.test("HubRepairs asks for what it missed while its own messages did not leave", async () => {
  const node = new Listening();
  const channel = node.miss("channel");
  node.time.advance(1000);
  // It hears, and cannot ask.
  node.status = "reconnecting";
  assertEquals(node.hear(channel), false);
  await node.pass(3000);
  assertEquals([node.delivered, node.lost], [0, []]);
  // No sign comes that would remind it.
  node.status = "open";
  await node.pass(1000);
  node.repairs.close();
  assertEquals([node.delivered, node.lost], [2, []]);
});
