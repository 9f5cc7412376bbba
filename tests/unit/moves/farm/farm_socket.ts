import type { FarmNode } from "./farm_node.ts";
import type { World } from "./world.ts";

/** A socket of the client to one node; whichever node is the home uses it from there. */
export class FarmSocket {
  open = true;
  readonly node: FarmNode;
  readonly #world: World;
  /** When the last message in each direction arrives: their order is kept. */
  readonly #arrivals = { client: 0, server: 0 };

  constructor(world: World, node: FarmNode) {
    this.#world = world;
    this.node = node;
  }

  /** Does something at the other end, after a while, unless the socket is cut before. */
  send(to: "client" | "server", call: () => void): void {
    const { simulation } = this.#world;
    const arrival = simulation.now + 1 + simulation.dice.below(80) / 10;
    this.#arrivals[to] = Math.max(this.#arrivals[to], arrival);
    simulation.at(this.#arrivals[to], () => {
      if (this.open) call();
    });
  }
}
