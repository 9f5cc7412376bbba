import type { HubChannels } from "./channel_names.ts";
import type { MoveQuestion } from "./move_messages.ts";
import type { NodeContext } from "./node_context.ts";
import type { Knock } from "./node_messages.ts";
import { isNodeMessage, readNodeMessage } from "./read_node_message.ts";
import { writeNodeMessage } from "./write_node_message.ts";

/** Asks other nodes whether a connection is there, and answers those that ask this node on its channel. */
export class Knocker {
  readonly #names: HubChannels;
  readonly #asked: (question: MoveQuestion) => void;
  readonly #context: Pick<NodeContext, "serverName" | "backplane" | "cluster">;

  /** `asked` gets the questions of other nodes for a connection that is to move. */
  constructor(
    names: HubChannels,
    context: Pick<NodeContext, "serverName" | "backplane" | "cluster">,
    asked: (question: MoveQuestion) => void,
  ) {
    this.#asked = asked;
    this.#names = names;
    this.#context = context;
  }

  /**
   * Asks whether a connection is there; its node answers with a `Here` of that id. Resolves with how
   * many nodes have heard the knock, if the bus can tell.
   *
   * @throws {BackplaneError} if the bus does not take the knock.
   */
  async knock(connectionId: string, id: number): Promise<number | undefined> {
    const payload = writeNodeMessage(this.#message(id));
    return await this.#context.backplane.publish(
      this.#names.connection(connectionId),
      payload,
      true,
    );
  }

  /** Asks whether a node is there, which does not answer; resolves as {@link knock}. */
  knockOnNode(node: string): Promise<number | undefined> {
    return this.#context.cluster.tell(node, this.#message(0));
  }

  /**
   * Returns whether a payload on the channel of a connection is a message of a node. A knock and a seek are
   * answered if the connection is among `audience`, a seek also if it is there no more.
   *
   * @throws {PackError} if the message is malformed.
   */
  answer(payload: Uint8Array, audience: Iterable<unknown>): boolean {
    if (!isNodeMessage(payload)) return false;
    const message = readNodeMessage(payload);
    if (message?.kind === "askMove" && message.hub === this.#names.hub) this.#asked(message);
    const { serverName: node, cluster } = this.#context;
    const isHere = audience[Symbol.iterator]().next().done !== true;
    if (message?.kind === "knock" && message.hub === this.#names.hub && isHere) {
      cluster.tell(message.node, { kind: "here", id: message.id, node, hub: message.hub });
    }
    const home = isHere ? node : undefined;
    // A bus may hand a node its own question back.
    if (message?.kind === "seek" && message.node !== node) {
      cluster.tell(message.node, { kind: "sought", id: message.id, node, home });
    }
    // A node without the connection answers that on its own channel.
    if (message?.kind === "stand" && message.node !== node && isHere) {
      cluster.tell(message.node, { kind: "claimed", id: message.id, node, home });
    }
    return true;
  }

  #message(id: number): Knock {
    return { kind: "knock", id, node: this.#context.serverName, hub: this.#names.hub };
  }
}
