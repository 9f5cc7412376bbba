import { Dice } from "./dice.ts";
import type { Bounds } from "./farm_node.ts";

/** The names of the channels. */
export const CHANNELS = ["a", "b", "c", "d"] as const;

type Kinds<K extends string, T> = K extends string ? { readonly at: number; readonly kind: K } & T
  : never;
type OnNode<K extends string, T = unknown> = Kinds<K, { readonly node: number } & T>;

/** Something that happens at a time; most of it happens to the node with that index. */
export type Operation =
  | OnNode<"join" | "leave", { readonly channel: string; readonly member: string }>
  | OnNode<"send", { readonly channel: string }>
  /** After `cutBehind`, what was sent before arrives late. */
  | OnNode<"cutSubscriber" | "cutPublisher" | "cutBehind", { readonly notice: number }>
  | OnNode<"lose", { readonly count: number }>
  | OnNode<"pause", { readonly duration: number }>
  | OnNode<"die" | "start">
  | Kinds<"restart", { readonly down: number }>;

/** What may go wrong in a scenario. */
export const FAULTS = [
  ...(["cutSubscriber", "cutPublisher", "restart", "lose", "pause", "die", "overrun"] as const),
];
export type Fault = (typeof FAULTS)[number];

/** What happens to a farm. */
export interface Scenario {
  readonly seed: number;
  readonly nodes: number;
  readonly bounds: Bounds;
  readonly operations: readonly Operation[];
  /** When the last operation is over. */
  readonly end: number;
}

const ROOMY = { ringBytes: 1 << 20, heldBytes: 1 << 20, backlog: 100 };

/** The scenario of a seed; the seed chooses among the faults, unless these are given. */
export function scenario(seed: number, only?: readonly Fault[]): Scenario {
  const dice = new Dice(Math.imul(seed, 0x9e3779b1));
  const chosen = FAULTS.filter(() => dice.chance(0.35));
  const faults = new Set(only ?? chosen);
  const nodes = 2 + dice.below(3);
  const channels = CHANNELS.slice(0, 1 + dice.below(CHANNELS.length));
  const farm = { dice, nodes, channels, last: 6000 + dice.below(8000) };
  const operations = [...memberships(farm), ...sends(farm)];
  for (const fault of FAULTS) if (faults.has(fault)) operations.push(...faultsOf(fault, farm));
  operations.sort((one, other) => one.at - other.at);
  const bounds = faults.has("overrun") ? tight(dice) : ROOMY;
  const answerBytes = dice.chance(0.5) ? 64 * 1024 : 1 + dice.below(200);
  const end = Math.max(
    farm.last,
    ...operations.map((operation) => operation.at + durationOf(operation)),
  );
  return { seed, nodes, bounds: { ...bounds, answerBytes }, operations, end };
}

/** The farm to which things happen, the last of them at a time. */
interface Farm {
  readonly dice: Dice;
  readonly nodes: number;
  readonly channels: readonly string[];
  readonly last: number;
}

/** A payload has eight bytes. */
function tight(dice: Dice): Omit<Bounds, "answerBytes"> {
  const [ringBytes, heldBytes] = [8 * (1 + dice.below(12)), 136 * (1 + dice.below(5))];
  return { ringBytes, heldBytes, backlog: 1 + dice.below(8) };
}

function durationOf(operation: Operation): number {
  switch (operation.kind) {
    case "restart":
      return operation.down;
    case "pause":
      return operation.duration;
    case "cutSubscriber":
    case "cutPublisher":
    case "cutBehind":
      return operation.notice;
    default:
      return 0;
  }
}

function* memberships({ dice, nodes, channels, last }: Farm): Generator<Operation, void> {
  for (let node = 0; node < nodes; node++) {
    for (const channel of channels) {
      if (!dice.chance(0.6)) continue;
      yield { at: 100 + dice.below(2500), kind: "join", node, channel, member: "x" };
    }
  }
  for (let left = 4 + dice.below(8); left > 0; left--) {
    const at = 1500 + dice.below(last - 1500);
    const [node, channel, member] = [dice.below(nodes), dice.pick(channels), dice.pick(["x", "y"])];
    yield { at, kind: "join", node, channel, member };
    if (!dice.chance(0.6)) continue;
    yield { at: at + 100 + dice.below(4000), kind: "leave", node, channel, member };
  }
}

function* sends({ dice, nodes, channels, last }: Farm): Generator<Operation, void> {
  for (let left = 5 + dice.below(40); left > 0; left--) {
    let at = 1500 + dice.below(last - 1500);
    const [node, channel] = [dice.below(nodes), dice.pick(channels)];
    for (let burst = dice.chance(0.2) ? 1 + dice.below(6) : 1; burst > 0; burst--) {
      yield { at, kind: "send", node, channel };
      at += dice.below(30);
    }
  }
}

/** How often each fault happens at most. */
const MOST = { cutSubscriber: 3, cutPublisher: 3, restart: 2, lose: 5, pause: 2, die: 1 };

function* faultsOf(
  fault: Fault,
  { dice, nodes, last }: Farm,
): Generator<Operation, void> {
  if (fault === "overrun") return;
  const time = () => 1500 + dice.below(last - 1500);
  for (let left = 1 + dice.below(MOST[fault]); left > 0; left--) {
    const [at, node] = [time(), dice.below(nodes)];
    switch (fault) {
      case "cutSubscriber":
      case "cutPublisher": {
        const kind = fault === "cutPublisher" && dice.chance(0.5) ? "cutBehind" : fault;
        yield { at, kind, node, notice: dice.below(dice.chance(0.7) ? 60 : 3000) };
        break;
      }
      case "restart":
        yield { at, kind: fault, down: dice.below(dice.chance(0.8) ? 3000 : 9000) };
        break;
      case "lose":
        yield { at, kind: fault, node, count: 1 + dice.below(3) };
        break;
      case "pause":
        yield { at, kind: fault, node, duration: dice.chance(0.5) ? 8000 : 200 + dice.below(8000) };
        break;
      case "die":
        yield { at, kind: fault, node };
        if (dice.chance(0.5)) yield { at: time(), kind: "start", node };
    }
  }
}
