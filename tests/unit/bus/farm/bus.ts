import type { BusConnection } from "./bus_connection.ts";
import type { Packet } from "./packet.ts";
import type { Simulation } from "./simulation.ts";
import type { Subscriber } from "./subscriber.ts";

/** A bus like Redis: what it gets for a channel goes to those that listen now, and nothing is kept. */
export class Bus {
  readonly simulation: Simulation;
  /** Whether it takes connections. */
  up = true;
  /** How often it has died: what was on its way to it then is lost. */
  deaths = 0;
  readonly connections = new Set<BusConnection>();
  readonly subscribers = new Set<Subscriber>();
  /** How many of the next messages to a node are lost. */
  readonly losing = new Map<string, number>();
  readonly #routed: (channel: string, packet: Packet) => void;

  /** `routed` learns of everything that the bus hands on. */
  constructor(simulation: Simulation, routed: (channel: string, packet: Packet) => void) {
    this.simulation = simulation;
    this.#routed = routed;
  }

  /** Hands a message to those that listen. */
  route(channel: string, packet: Packet): void {
    this.#routed(channel, packet);
    for (const subscriber of this.subscribers) {
      if (!subscriber.listensTo(channel)) continue;
      const { name } = subscriber.host;
      const losing = name === packet.node ? 0 : this.losing.get(name) ?? 0;
      if (losing === 0) {
        subscriber.deliver(channel, packet);
        continue;
      }
      this.losing.set(name, losing - 1);
      this.simulation.log(() => `the bus loses a ${packet.kind} on ${channel} to ${name}`);
    }
  }

  /** The bus dies, and is there again after some time. */
  restart(down: number): void {
    const { simulation } = this;
    this.up = false;
    this.deaths++;
    simulation.log(() => "the bus dies");
    for (const connection of [...this.connections]) connection.cut(simulation.dice.below(40));
    simulation.at(simulation.now + down, () => {
      this.up = true;
      simulation.log(() => "the bus is up");
    });
  }
}
