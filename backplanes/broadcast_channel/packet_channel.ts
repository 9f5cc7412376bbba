import { LimitedEntry } from "../driver/limited_entry.ts";
import type { BackplaneLogger } from "../driver/options.ts";
import { isOurs, isPacket, type Packet } from "./packet.ts";

/** A `BroadcastChannel` that carries packets, and that is opened again if the platform cuts it off. */
export class PacketChannel {
  readonly #name: string;
  readonly #received: (packet: Packet) => void;
  readonly #malformed: LimitedEntry;
  #channel: BroadcastChannel;

  /** Opens the channel called `name`; messages that are not packets are ignored, malformed packets logged. */
  constructor(name: string, received: (packet: Packet) => void, logger: BackplaneLogger) {
    this.#name = name;
    this.#received = received;
    this.#malformed = new LimitedEntry(
      `Ignored a malformed packet on the BroadcastChannel ${JSON.stringify(name)}`,
      (text) => logger.warn(text),
    );
    this.#channel = this.#listen();
  }

  /** Posts `packet` to every other channel of the name. */
  send(packet: Packet): void {
    try {
      this.#channel.postMessage(packet);
    } catch {
      // Deno 2.9: the end of a thread's last channel, which comes a turn after its close(), cuts off
      // a channel that was opened in that turn. Posting then throws, after it has reached this thread.
      // A new channel works. Packets missed meanwhile, or received twice, show in their numbers.
      const cut = this.#channel;
      this.#channel = this.#listen();
      cut.close();
      this.#channel.postMessage(packet);
    }
  }

  /** Receives nothing more; the channel still sends. */
  silence(): void {
    this.#channel.onmessage = null;
  }

  close(): void {
    this.#channel.close();
  }

  #listen(): BroadcastChannel {
    const channel = new BroadcastChannel(this.#name);
    channel.onmessage = ({ data }) => {
      if (!isOurs(data)) return;
      // An error thrown here would end the thread.
      if (isPacket(data)) this.#received(data);
      else this.#malformed.log();
    };
    return channel;
  }
}
