import { FarmSocket } from "./farm_socket.ts";
import type { FarmNode } from "./farm_node.ts";
import type { World } from "./world.ts";

/** How long the client waits until a node has answered its upgrade, in milliseconds. */
const PATIENCE = 4000;

/** A client that loses its socket and comes back on another one, as the official ones do. */
export class FarmClient {
  socket: FarmSocket | undefined;
  /** Whether a node has refused the client, which then begins anew. */
  refused = false;
  sent = 0;
  /** The messages of the group, in their order. */
  readonly heard: number[] = [];
  readonly #world: World;
  #resumed = true;
  #kept: number[] = [];
  #received = 0;

  constructor(world: World) {
    this.#world = world;
  }

  send(): void {
    if (this.refused) return;
    const number = ++this.sent;
    this.#kept.push(number);
    if (this.#resumed) this.#tell((home, socket) => home.call(socket, number));
  }

  cut(): void {
    const { socket } = this;
    if (socket === undefined) return;
    socket.open = false;
    this.socket = undefined;
    this.#resumed = false;
    const { simulation, nodes } = this.#world;
    const { dice } = simulation;
    simulation.log(() => "the client's socket is cut");
    // A node may notice that later than the client does.
    const late = dice.below(2) === 0 ? 0 : dice.below(300);
    for (const node of nodes) node.host.after(late, () => node.lose(socket));
    const pause = dice.below(dice.below(5) === 0 ? 4000 : 80);
    simulation.at(simulation.now + pause, () => this.#connect());
  }

  /** A node has resumed the connection. */
  resumed(socket: FarmSocket, first: number): void {
    if (socket !== this.socket) return;
    this.#resumed = true;
    this.#world.simulation.log(() => `the client is back at ${socket.node.name}`);
    if (first > this.#received + 1) this.#world.faults.push(`messages before ${first} are lost`);
    const again = this.#kept[0] ?? this.sent + 1;
    this.#tell((home, socket) => home.sequence(socket, again));
    for (const number of this.#kept) this.#tell((home, socket) => home.call(socket, number));
  }

  /** A message of the home. */
  hear(socket: FarmSocket, number: number, message: number): void {
    if (socket !== this.socket || number <= this.#received) return;
    this.#received = number;
    this.heard.push(message);
    if (number % 5 === 0) this.#tell((home, socket) => home.acknowledge(socket, number));
  }

  acknowledge(socket: FarmSocket, number: number): void {
    if (socket === this.socket) this.#kept = this.#kept.filter((kept) => kept > number);
  }

  refuse(socket: FarmSocket): void {
    if (socket !== this.socket) return;
    this.refused = true;
    this.socket = undefined;
    this.#world.simulation.log(() => "the client is refused");
  }

  #tell(call: (home: FarmNode, socket: FarmSocket) => void): void {
    const { socket } = this;
    socket?.send("server", () => {
      const home = this.#world.nodes.find((node) => node.serves(socket));
      home?.host.run(() => call(home, socket));
    });
  }

  #connect(): void {
    const { simulation, nodes } = this.#world;
    const living = nodes.filter(({ host }) => !host.dead);
    const node = living[simulation.dice.below(living.length)];
    if (this.refused || this.socket !== undefined || node === undefined) return;
    const socket = this.socket = new FarmSocket(this.#world, node);
    simulation.log(() => `the client connects to ${node.name}`);
    socket.send("server", () => node.host.run(() => node.arrive(socket)));
    simulation.at(simulation.now + PATIENCE, () => {
      if (socket === this.socket && !this.#resumed) this.cut();
    });
  }
}
