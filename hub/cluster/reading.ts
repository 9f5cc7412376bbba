import type { NodeContext } from "../bus/node_context.ts";
import { readNodeMessage } from "../bus/read_node_message.ts";
import type { NodeMessage } from "../bus/node_messages.ts";

/** The longest sign that is read, in bytes: signs of this version have some 64 KiB. */
const MAXIMUM_SIGN_BYTES = 256 * 1024;

/** Reads what other nodes say to each other. A message that cannot be read is logged, once a minute. */
export class NodeReader {
  readonly #context: Pick<NodeContext, "serverName" | "limitedLog">;

  constructor(context: Pick<NodeContext, "serverName" | "limitedLog">) {
    this.#context = context;
  }

  /** Hands the message in `payload` to `handle`, unless it is of this node, or cannot be read. */
  read(payload: Uint8Array, handle: (message: NodeMessage) => void): void {
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
