/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** A thread with instances of its own, which does what a test orders. */
import type { BackplaneSubscription } from "../../../backplanes/backplane.ts";
import { BroadcastChannelBackplane } from "../../../backplanes/broadcast_channel.ts";
import type { Answer, Order } from "./worker_messages.ts";

const nodes = new Map<number, BroadcastChannelBackplane>();
const subscriptions = new Map<number, BackplaneSubscription>();

function answer(what: Answer): void {
  self.postMessage(what);
}

function open(order: Extract<Order, { type: "open" }>): void {
  const node = new BroadcastChannelBackplane(order.name, order.options);
  nodes.set(order.node, node);
  node.onStatus((event) => answer({ type: "status", node: order.node, event }));
}

async function obey(order: Order): Promise<void> {
  if (order.type === "open") return open(order);
  const node = nodes.get(order.node);
  if (node === undefined) throw new Error(`Cannot use node ${order.node}: it is not open`);
  switch (order.type) {
    case "publish":
      await node.publish(order.channel, order.payload);
      return;
    case "subscribe": {
      const handler = (payload: Uint8Array) => answer({ type: "heard", of: order.id, payload });
      const subscription = node.subscribe(order.channel, handler);
      subscriptions.set(order.id, subscription);
      await subscription.confirmed;
      return;
    }
    case "unsubscribe":
      return await subscriptions.get(order.of)?.unsubscribe();
    case "block":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.milliseconds);
      return;
    case "close":
      nodes.delete(order.node);
      return await node.close();
  }
}

self.onmessage = ({ data }: MessageEvent<Order[]>) => {
  for (const order of data) {
    const { id } = order;
    obey(order).then(
      () => answer({ type: "done", id }),
      (error: Error) => answer({ type: "failed", id, name: error.name, text: error.message }),
    );
  }
};
