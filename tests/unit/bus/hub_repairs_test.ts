import { assertEquals } from "@std/assert";
import type { BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import { HeardChannel } from "../../../hub/bus/heard_channel.ts";
import { HubRepairs } from "../../../hub/bus/hub_repairs.ts";
import type { NodeContext } from "../../../hub/bus/node_context.ts";
import type { HubMessage } from "../../../hub/bus/node_messages.ts";
import { Numbering } from "../../../hub/bus/numbering.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { settle } from "../../kit/pipe.ts";

const NOTHING = { here: () => {}, ended: () => {} };

/** A node that listens to channels of a sender that answers every question at once. */
class Listening {
  readonly time = new ManualClock();
  readonly sender = new Numbering(1 << 20);
  readonly repairs: HubRepairs;
  delivered = 0;
  readonly lost: string[] = [];
  readonly #channels = new Map<string, HeardChannel>();

  constructor() {
    const { time } = this;
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
        ...{ status: "open", counts: true, join: () => {}, met: () => {} },
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
    }, NOTHING);
  }

  /** A channel that this node listens to, on which the sender publishes something that is lost. */
  miss(name: string): void {
    const channel = new HeardChannel(name, [], false);
    this.#channels.set(name, channel);
    this.repairs.repair.requested(channel, this.time.now());
    this.repairs.repair.confirmed(channel, this.time.now());
    const back = this.sender.next(name, this.time.now());
    this.sender.keep(back, new Uint8Array(10), this.time.now());
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
  for (let ms = 0; ms < 10_000; ms += 50) {
    await settle();
    node.time.advance(50);
  }
  node.repairs.close();
  assertEquals([node.lost.length, node.delivered], [0, channels]);
});
