import type { Bus } from "./bus.ts";
import { BusConnection } from "./bus_connection.ts";
import type { Packet } from "./packet.ts";
import type { Host } from "./simulation.ts";

/** What a {@link Subscriber} tells its node. */
export interface SubscriberListener {
  received(channel: string, packet: Packet): void;
  confirmed(channel: string): void;
  away(): void;
  /** All channels are confirmed; `again` says that messages may have been lost. */
  open(again: boolean): void;
}

/** The connection on which a node listens; its channels come back by themselves. */
export class Subscriber extends BusConnection {
  /** Whether the bus has confirmed all channels. */
  open = false;
  readonly #listener: SubscriberListener;
  readonly #wanted = new Set<string>();
  readonly #confirmed = new Set<string>();
  /** The channels that the bus knows of. */
  #heard = new Set<string>();
  #openings = 0;

  constructor(bus: Bus, host: Host, listener: SubscriberListener) {
    super(bus, host);
    this.#listener = listener;
  }

  /** Whether the bus sends what is published on a channel. */
  listensTo(channel: string): boolean {
    return this.#heard.has(channel);
  }

  subscribe(channel: string): void {
    this.#wanted.add(channel);
    if (this.live) this.#ask(channel);
  }

  unsubscribe(channel: string): void {
    this.#wanted.delete(channel);
    this.#confirmed.delete(channel);
    if (!this.live) return;
    const heard = this.#heard;
    this.send(() => heard.delete(channel));
    this.#look();
  }

  /** The bus sends a message. */
  deliver(channel: string, packet: Packet): void {
    this.receive(() => this.#listener.received(channel, packet));
  }

  protected override opened(): void {
    this.#heard = new Set();
    this.bus.subscribers.add(this);
    for (const channel of this.#wanted) this.#ask(channel);
    this.#look();
  }

  protected override ended(): void {
    this.bus.subscribers.delete(this);
  }

  protected override lost(): void {
    this.open = false;
    this.#confirmed.clear();
    this.#listener.away();
  }

  #ask(channel: string): void {
    const heard = this.#heard;
    this.send(() => {
      heard.add(channel);
      this.receive(() => {
        if (!this.#wanted.has(channel)) return;
        this.#confirmed.add(channel);
        this.#listener.confirmed(channel);
        this.#look();
      });
    });
  }

  #look(): void {
    if (this.open || !this.live) return;
    for (const channel of this.#wanted) if (!this.#confirmed.has(channel)) return;
    this.open = true;
    this.#listener.open(this.#openings++ > 0);
  }
}
