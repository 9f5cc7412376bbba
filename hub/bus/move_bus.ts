import type { BackplaneSubscription } from "../../backplanes/backplane.ts";
import type { HubChannels } from "./channel_names.ts";
import type { MoveMessage, MoveQuestion } from "./move_messages.ts";
import type { NodeContext } from "./node_context.ts";
import { isNodeMessage, readNodeMessage } from "./read_node_message.ts";
import { writeNodeMessage } from "./write_node_message.ts";

/** Says and hears what is said about connections that move. What does not arrive is said again by others. */
export class MoveBus {
  /** Gets what other nodes say. */
  receive: (message: MoveMessage) => void = () => {};
  readonly #names: HubChannels;
  readonly #context: Pick<NodeContext, "serverName" | "backplane" | "cluster" | "limitedLog">;
  readonly #listening = new Map<string, BackplaneSubscription>();

  constructor(
    names: HubChannels,
    context: Pick<NodeContext, "serverName" | "backplane" | "cluster" | "limitedLog">,
  ) {
    this.#names = names;
    this.#context = context;
  }

  /** A living node that takes connections; `undefined` if there is none. */
  get successor(): string | undefined {
    const up = this.#context.cluster.nodes.slice(1).filter(({ state }) => state === "up");
    return up[Math.floor(Math.random() * up.length)]?.name;
  }

  /** Asks on the channel of a connection. */
  ask(question: MoveQuestion): void {
    const channel = this.#names.connection(question.connectionId);
    attempt(() => this.#context.backplane.publish(channel, writeNodeMessage(question)));
  }

  tell(node: string, message: MoveMessage): void {
    void this.#context.cluster.tell(node, message);
  }

  /** Hears questions on the channel of a connection that is not here, or does not any more. */
  listen(connectionId: string, listens: boolean): void {
    const before = this.#listening.get(connectionId);
    this.#listening.delete(connectionId);
    if (before !== undefined) attempt(() => before.unsubscribe());
    if (!listens) return;
    const channel = this.#names.connection(connectionId);
    const subscription = this.#context.backplane.subscribe(
      channel,
      (payload) => this.#hear(payload),
    );
    subscription.confirmed.catch(() => {});
    this.#listening.set(connectionId, subscription);
  }

  /** Hears nothing any more. */
  close(): void {
    for (const connectionId of [...this.#listening.keys()]) this.listen(connectionId, false);
  }

  #hear(payload: Uint8Array): void {
    try {
      const message = isNodeMessage(payload) ? readNodeMessage(payload) : undefined;
      if (message?.kind === "askMove" && message.hub === this.#names.hub) this.receive(message);
      const { serverName: node, cluster } = this.#context;
      // The connection has begun: no other node may begin it.
      if (message?.kind === "stand" && message.node !== node) {
        cluster.tell(message.node, { kind: "claimed", id: message.id, node, home: node });
      }
    } catch (error) {
      const text = "Ignored a message from another node:";
      this.#context.limitedLog.log("warn", text, text, error);
    }
  }
}

/** Calls a driver; whatever becomes of that, the same is tried again later. */
async function attempt(call: () => unknown): Promise<void> {
  try {
    await call();
  } catch {
    // The bus is away.
  }
}
