import type { Bus } from "./bus.ts";
import { BusConnection, type Line } from "./bus_connection.ts";
import type { Packet } from "./packet.ts";
import type { Host } from "./simulation.ts";

/** The connection on which a node publishes. */
export class Publisher extends BusConnection {
  readonly #opened: () => void;
  readonly #unanswered = new Set<(accepted: boolean) => void>();
  /** The lines that were cut while what the node had sent was on its way: it arrives, but late. */
  readonly #slow = new WeakMap<Line, { latest: number }>();

  /** `opened` is called whenever the node can publish again. */
  constructor(bus: Bus, host: Host, opened: () => void) {
    super(bus, host);
    this.#opened = opened;
  }

  /** Cuts the connection; what the node has sent arrives all the same. */
  cutBehind(notice: number): boolean {
    const { line } = this;
    if (!this.cut(notice)) return false;
    this.#slow.set(line, { latest: 0 });
    return true;
  }

  /** Publishes; `answered` learns whether the bus has said that it has the message. */
  publish(channel: string, packet: Packet, answered: (accepted: boolean) => void = () => {}): void {
    const { bus, line } = this;
    const { deaths } = bus;
    const { simulation } = bus;
    const wasCut = line.cut;
    const settle = (accepted: boolean) => {
      if (this.#unanswered.delete(settle)) answered(accepted);
    };
    this.#unanswered.add(settle);
    const arrived = () => {
      if (deaths !== bus.deaths || wasCut) return;
      bus.route(channel, packet);
      if (!line.cut) this.receive(() => settle(true));
    };
    line.toBus = Math.max(line.toBus, simulation.now + simulation.dice.latency());
    simulation.at(line.toBus, () => {
      if (!line.cut) return arrived();
      const slow = this.#slow.get(line);
      if (slow === undefined) return;
      // The bus may read this later than what the next connection sends.
      slow.latest = Math.max(slow.latest, simulation.now + simulation.dice.below(400));
      simulation.at(slow.latest, arrived);
    });
  }

  protected override opened(): void {
    this.#opened();
  }

  protected override ended(): void {}

  protected override lost(): void {
    for (const settle of [...this.#unanswered]) settle(false);
  }
}
