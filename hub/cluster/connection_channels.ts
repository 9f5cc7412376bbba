import { HubChannels } from "../bus/channel_names.ts";
import type { ConnectionChannels } from "../bus/cluster.ts";
import type { BackplaneSubscription } from "../bus/node_context.ts";
import type { NodeMessage, Stand } from "../bus/node_messages.ts";
import type { Seek } from "../bus/relay_messages.ts";
import { writeNodeMessage } from "../bus/write_node_message.ts";
import type { SigningContext } from "./own_signs.ts";
import type { NodeListening } from "./listening.ts";

/** The channels of connections, as a node uses them that does not have the connections. */
export class OtherConnections implements ConnectionChannels {
  readonly #context: Pick<SigningContext, "backplane">;
  readonly #listening: NodeListening;
  readonly #receive: (message: NodeMessage) => void;

  /** `receive` gets what candidates for a connection ask. */
  constructor(
    context: Pick<SigningContext, "backplane">,
    listening: NodeListening,
    receive: (message: NodeMessage) => void,
  ) {
    this.#context = context;
    this.#listening = listening;
    this.#receive = receive;
  }

  async ask(hub: string, question: Seek | Stand): Promise<number | undefined | null> {
    try {
      const channel = new HubChannels(hub).connection(question.connectionId);
      return await this.#context.backplane.publish(channel, writeNodeMessage(question), true);
    } catch {
      return null;
    }
  }

  hear(hub: string, connectionId: string): BackplaneSubscription {
    const channel = new HubChannels(hub).connection(connectionId);
    return this.#listening.hear(channel, (message) => {
      if ("kind" in message && message.kind === "stand") this.#receive(message);
    });
  }
}
