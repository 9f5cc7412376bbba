import type { Bus } from "./bus.ts";
import type { Host } from "./simulation.ts";

/** The two directions of a connection: what is sent arrives in its order. */
export interface Line {
  /** Whether nothing arrives any more, though the node may not know that yet. */
  cut: boolean;
  /** When the last message in each direction arrives. */
  toBus: number;
  fromBus: number;
}

/** A connection of a node to the bus, made again whenever it is lost. */
export abstract class BusConnection {
  readonly bus: Bus;
  readonly host: Host;
  /** The present connection, or the last one. */
  protected line: Line = { cut: true, toBus: 0, fromBus: 0 };
  /** Whether the node believes that it is connected. */
  #live = false;

  constructor(bus: Bus, host: Host) {
    this.bus = bus;
    this.host = host;
    this.#connect(1 + bus.simulation.dice.below(5));
  }

  /** Whether the node believes that it is connected. */
  get live(): boolean {
    return this.#live;
  }

  /** Cuts the connection; the node notices that after some time. Returns whether there was one. */
  cut(notice: number): boolean {
    const { bus, host, line } = this;
    if (line.cut) return false;
    line.cut = true;
    bus.connections.delete(this);
    this.ended();
    host.after(notice, () => {
      this.#live = false;
      this.lost();
      this.#connect(10 + bus.simulation.dice.below(700));
    });
    return true;
  }

  /** The node is connected. */
  protected abstract opened(): void;
  /** The bus sends nothing any more. */
  protected abstract ended(): void;
  /** The node has noticed that the connection is lost. */
  protected abstract lost(): void;

  /** Calls back when what is sent now arrives at the bus, unless the connection is cut before. */
  protected send(arrived: () => void): void {
    const { bus: { simulation }, line } = this;
    line.toBus = Math.max(line.toBus, simulation.now + simulation.dice.latency());
    simulation.at(line.toBus, () => {
      if (!line.cut) arrived();
    });
  }

  /** Calls back when what the bus sends now arrives at the node, unless the connection is cut before. */
  protected receive(arrived: () => void): void {
    const { bus: { simulation }, line } = this;
    line.fromBus = Math.max(line.fromBus, simulation.now + simulation.dice.latency());
    simulation.at(line.fromBus, () => {
      if (line.cut) return;
      this.host.run(() => {
        if (line === this.line && this.#live) arrived();
      });
    });
  }

  #connect(delay: number): void {
    this.host.after(delay, () => {
      const { bus } = this;
      if (!bus.up) return this.#connect(50 + bus.simulation.dice.below(450));
      this.line = { cut: false, toBus: 0, fromBus: 0 };
      this.#live = true;
      bus.connections.add(this);
      this.opened();
    });
  }
}
