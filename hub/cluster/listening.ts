import { untilConfirmed } from "../bus/confirmed.ts";
import type { BackplaneSubscription, NodeContext } from "../bus/node_context.ts";
import type { NodeMessage } from "../bus/node_messages.ts";
import { isAway } from "../bus/publish_outcomes.ts";
import { isNodeMessage, readNodeMessage } from "../bus/read_node_message.ts";

/** The longest sign that is read, in bytes: signs of this version have some 64 KiB. */
const MAXIMUM_SIGN_BYTES = 256 * 1024;

type ListeningContext = Pick<NodeContext, "serverName" | "backplane" | "limitedLog">;

/** Hears what nodes say to each other. A message that cannot be read is logged, once a minute. */
export class NodeListening {
  readonly #context: ListeningContext;

  constructor(context: ListeningContext) {
    this.#context = context;
  }

  /**
   * Hands the messages on a channel to `handle`, except those of this node. Resolves when the bus has
   * confirmed the channel and is open, as {@link untilConfirmed}.
   *
   * @throws {BackplaneClosedError} when the backplane is closed.
   */
  async begin(channel: string, handle: (message: NodeMessage) => void): Promise<void> {
    const { backplane, limitedLog } = this.#context;
    const subscription = backplane.subscribe(channel, (payload) => this.#read(payload, handle));
    subscription.confirmed.catch((error) => {
      if (isAway(error)) return;
      const text = "The server is not ready, the bus refuses a channel of nodes:";
      limitedLog.log("error", text, text, error);
    });
    await untilConfirmed(backplane, [subscription]);
  }

  /** As {@link begin}, of the channel of a connection: messages of its hub are skipped. */
  hear(channel: string, handle: (message: NodeMessage) => void): BackplaneSubscription {
    return this.#context.backplane.subscribe(channel, (payload) => {
      if (isNodeMessage(payload)) this.#read(payload, handle);
    });
  }

  #read(payload: Uint8Array, handle: (message: NodeMessage) => void): void {
    try {
      const message = readNodeMessage(payload);
      if (message === undefined) return this.#ignore("of an unknown version or kind");
      // A bus may hand a node its own messages back.
      if (message.node === this.#context.serverName) return;
      const isTooLong = "hubs" in message && payload.length > MAXIMUM_SIGN_BYTES;
      if (isTooLong) this.#ignore(`a sign of more than ${MAXIMUM_SIGN_BYTES} bytes`);
      else handle(message);
    } catch (error) {
      this.#ignore("malformed", error);
    }
  }

  #ignore(why: string, ...details: readonly unknown[]): void {
    const text = `Ignored a message of another node: it is ${why}`;
    this.#context.limitedLog.log("warn", text, text, ...details);
  }
}
