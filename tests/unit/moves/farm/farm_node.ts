import type { MoveMessage } from "../../../../hub/bus/move_messages.ts";
import { type HandoverEffects, Handovers, type Taken } from "../../../../hub/moves/handovers.ts";
import { Host } from "../../bus/farm/simulation.ts";
import type { FarmSocket } from "./farm_socket.ts";
import type { World } from "./world.ts";

/** The state of the connection, as far as this farm goes. */
interface State {
  /** How many messages were sent to the client, and those that it has not acknowledged. */
  readonly sent: number;
  readonly kept: readonly (readonly [number: number, message: number])[];
  /** The last call, and the last message of the group. */
  readonly received: number;
  readonly group: number;
}

const CONNECTION = { connectionId: "c", userId: "ann" };
/** How long a client may stay away, how long it is waited for when the node drains, and how long a claim lasts. */
const AWAY = 15_000;
const DRAIN = 1500;
const CLAIM = 2000;
const LOOK = 50;
/** A state has several parts. */
const PADDING = "x".repeat(70_000);

function pack(state: State): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ ...state, padding: PADDING }));
}

function unpack(bytes: Uint8Array): State {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** A node that may be the home of the connection. */
export class FarmNode {
  readonly name: string;
  readonly host: Host;
  draining = false;
  readonly #world: World;
  readonly #handovers: Handovers<FarmSocket>;
  #state: State | undefined;
  #pipe: FarmSocket | undefined;
  /** Since when the client has no pipe. */
  #awaySince = 0;
  #subscribed = false;
  /** Whether the state is parked here. */
  #parked = false;
  #busy: number;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.#busy = world.scenario.busy;
    this.host = new Host(world.simulation, name);
    this.#handovers = new Handovers(this.#effects(), AWAY);
    const look = () => {
      this.#look();
      this.host.after(LOOK, look);
    };
    this.host.after(world.simulation.dice.below(LOOK), look);
  }

  get isHome(): boolean {
    return this.#state !== undefined;
  }

  /** Whether it hears the channel of the connection. */
  get hears(): boolean {
    return !this.host.dead && (this.isHome || this.#parked);
  }

  serves(socket: FarmSocket): boolean {
    return this.#pipe === socket && this.isHome;
  }

  /** The connection goes on here. */
  begin(state: State, socket?: FarmSocket): void {
    const { faults, nodes, simulation } = this.#world;
    const other = nodes.find((node) => node !== this && node.isHome && !node.host.dead);
    if (other !== undefined) faults.push(`${this.name} and ${other.name} are both the home`);
    simulation.log(() => `${this.name} is the home`);
    this.#state = state;
    this.#awaySince = simulation.now;
    this.#subscribed = false;
    this.host.after(2 + simulation.dice.below(60) / 10, () => {
      if (this.#state !== state && this.#subscribed) return;
      this.#subscribed = true;
      // What was published meanwhile comes from the rings of the other nodes.
      for (let number = (this.#state?.group ?? 0) + 1; number <= this.#world.published; number++) {
        this.hear(number);
      }
    });
    if (socket?.open) this.#attach(socket);
  }

  drain(): void {
    this.draining = true;
    this.#world.simulation.log(() => `${this.name} drains`);
    if (this.isHome && this.#pipe?.open) this.#world.client.cut();
  }

  die(): void {
    if (this.host.dead) return;
    const { client, simulation } = this.#world;
    simulation.log(() => `${this.name} dies`);
    this.host.dead = true;
    const pipe = this.#pipe;
    this.#state = undefined;
    if (client.socket?.node === this) client.cut();
    // A relayed socket ends when the death is noticed.
    else if (pipe) {
      simulation.at(simulation.now + 5000, () => client.socket === pipe && client.cut());
    }
  }

  receive(message: MoveMessage): void {
    this.#handovers.received(message, this.#world.simulation.now);
  }

  /** A new socket of the client has come. */
  arrive(socket: FarmSocket): void {
    const stays = this.draining ? this.#world.stays(this) : undefined;
    // A node that drains relays the socket to one that stays.
    const home = stays ?? this;
    if (home.isHome) return home.#attach(socket);
    const { now } = this.#world.simulation;
    const id = home.#handovers.claim(CONNECTION, socket, { now, until: now + CLAIM });
    const watch = () => {
      if (!socket.open) home.#handovers.abandon(id);
      else home.host.after(LOOK, watch);
    };
    watch();
  }

  /** A socket of the client is gone. */
  lose(socket: FarmSocket): void {
    if (this.#pipe !== socket) return;
    this.#pipe = undefined;
    this.#awaySince = this.#world.simulation.now;
  }

  /** A message of the group. */
  hear(message: number): void {
    const state = this.#state;
    if (state === undefined || !this.#subscribed || message <= state.group) return;
    const sent = state.sent + 1;
    this.#state = { ...state, group: message, sent, kept: [...state.kept, [sent, message]] };
    const pipe = this.#pipe;
    if (pipe?.open) pipe.send("client", () => this.#world.client.hear(pipe, sent, message));
  }

  sequence(socket: FarmSocket, first: number): void {
    if (!this.serves(socket) || first <= (this.#state?.received ?? 0) + 1) return;
    this.#world.faults.push(`calls before ${first} are lost at ${this.name}`);
  }

  call(socket: FarmSocket, number: number): void {
    if (!this.serves(socket) || this.#state === undefined) return;
    if (number <= this.#state.received) return;
    this.#state = { ...this.#state, received: number };
    this.#world.handled.push(number);
  }

  acknowledge(socket: FarmSocket, number: number): void {
    if (!this.serves(socket) || this.#state === undefined) return;
    const kept = this.#state.kept.filter(([sent]) => sent > number);
    this.#state = { ...this.#state, kept };
  }

  #attach(socket: FarmSocket): void {
    const state = this.#state;
    if (state === undefined) return;
    if (this.#pipe && this.#pipe !== socket) this.#pipe.open = false;
    this.#pipe = socket;
    const { client } = this.#world;
    const first = state.kept[0]?.[0] ?? state.sent + 1;
    socket.send("client", () => client.resumed(socket, first));
    for (const [number, message] of state.kept) {
      socket.send("client", () => client.hear(socket, number, message));
    }
  }

  #look(): void {
    const { now } = this.#world.simulation;
    if (!this.#handovers.idle) this.#handovers.tick(now);
    const pipe = this.#pipe;
    const received = this.#state?.received ?? 0;
    if (pipe?.open) pipe.send("client", () => this.#world.client.acknowledge(pipe, received));
    if (this.#state === undefined || pipe?.open) return;
    const away = now - this.#awaySince;
    const stays = this.#world.stays(this);
    if (away > AWAY) this.#state = undefined;
    else if (this.draining && away > DRAIN && stays !== undefined) {
      this.#handovers.park(stays.name, CONNECTION.connectionId, this.#leave(this.#state), now);
    }
  }

  /** The connection leaves; its client has a newer socket, or none. */
  #leave(state: State): Uint8Array {
    this.#state = undefined;
    this.#world.moves++;
    const pipe = this.#pipe;
    this.#pipe = undefined;
    const { client, simulation } = this.#world;
    if (pipe) {
      simulation.at(simulation.now + 5, () => {
        if (client.socket === pipe) client.cut();
        else pipe.open = false;
      });
    }
    return pack(state);
  }

  #take(): Taken {
    if (this.#state === undefined) return "absent";
    return this.#busy-- > 0 ? "later" : this.#leave(this.#state);
  }

  #effects(): HandoverEffects<FarmSocket> {
    const world = this.#world;
    return {
      serverName: this.name,
      hub: "hub",
      ask: (question) => world.post(this, undefined, question),
      tell: (node, message) => {
        world.post(this, world.nodes.find(({ name }) => name === node), message);
      },
      take: () => this.#take(),
      isOf: () => true,
      accept: (state, socket) => {
        // A state that came before, under another claim.
        if (!this.isHome) this.begin(unpack(state), socket);
        return "accepted";
      },
      arrived: (socket) => {
        if (socket.open) this.#attach(socket);
      },
      failed: (socket) => socket.send("client", () => world.client.refuse(socket)),
      listen: (_connectionId, listens) => void (this.#parked = listens),
      overdue: () => {},
      lost: () => void world.lost++,
    };
  }
}
