import { LimitedWarning } from "../driver/limited_warning.ts";
import { BackplaneUnavailableError } from "../errors.ts";
import type { BackplaneLogger } from "../driver/options.ts";
import { isOurs, isPacket, type Packet } from "./packet.ts";

/** A `BroadcastChannel` that carries packets, and that is opened again if the platform cuts it off. */
export class PacketChannel {
  readonly #name: string;
  readonly #received: (packet: Packet) => void;
  readonly #malformed: LimitedWarning;
  readonly #unsent: LimitedWarning;
  #channel: BroadcastChannel;

  /** Opens the channel called `name`; messages that are not packets are ignored, malformed packets logged. */
  constructor(name: string, received: (packet: Packet) => void, logger: BackplaneLogger) {
    this.#name = name;
    this.#received = received;
    const channel = `the BroadcastChannel ${JSON.stringify(name)}`;
    this.#malformed = new LimitedWarning(`Ignored a malformed packet on ${channel}`, logger);
    this.#unsent = new LimitedWarning(`Cannot give a sign of life on ${channel}:`, logger);
    this.#channel = this.#listen();
  }

  /**
   * Posts `packet` to every other channel of the name.
   *
   * @throws {BackplaneUnavailableError} if the platform refuses.
   */
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
      try {
        this.#channel.postMessage(packet);
      } catch (cause) {
        const message = `Cannot post on the BroadcastChannel ${JSON.stringify(this.#name)}`;
        throw new BackplaneUnavailableError(message, { cause });
      }
    }
  }

  /** As {@link send}, for a packet that nobody waits for: a failure is logged. */
  sign(packet: Packet): void {
    try {
      this.send(packet);
    } catch (error) {
      this.#unsent.log(error);
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
