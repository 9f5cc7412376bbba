import { GroupAction, type GroupCommand } from "../bus/envelope.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { CommandAges } from "./command_ages.ts";
import { ExpiringMap, type ExpiryContext } from "./expiring_map.ts";

/** The most connections and groups for which commands are remembered. */
const MAXIMUM_TARGETS = 100_000;
/** The most nodes whose commands are remembered for each of them: names of nodes come from the bus. */
const MAXIMUM_NODES = 64;

/** A command of another node that this node has carried out, or is carrying out. */
export interface CarriedCommand {
  readonly id: number;
  /** When the other node waits no longer, by the clock of this node. */
  readonly deadline: number;
  done: boolean;
}

/** The commands that are remembered for one connection and group. */
interface History {
  /** The latest command of each node; the oldest comes first. */
  readonly latest: Map<string, CarriedCommand>;
  /** The command that has made the connection a member, until somebody else changes the membership. */
  adder: CarriedCommand | undefined;
}

type Target = Pick<GroupCommand, "connectionId" | "group">;

/**
 * Remembers the commands of other nodes while those may repeat or withdraw them: each command is carried
 * out at most once, and never after a later command of the same node for the same connection and group. A
 * copy that comes when the command is forgotten is known by its id.
 */
export class CarriedCommands {
  readonly #clock: NodeContext["clock"];
  readonly #histories: ExpiringMap<History>;
  readonly #ages: CommandAges;

  /** Nodes wait `timeout` milliseconds for a command, which is remembered for twice as long. */
  constructor(context: ExpiryContext, timeout: number) {
    this.#clock = context.clock;
    // Other nodes may wait for longer than this one would, and their last word takes its time.
    this.#histories = new ExpiringMap(context, 2 * timeout, MAXIMUM_TARGETS);
    this.#ages = new CommandAges(context, timeout);
  }

  /**
   * The latest command of that node for that target, unless `command` is later. A command that comes when
   * its node waits no longer counts as one that is being carried out for ever.
   */
  known(command: GroupCommand): CarriedCommand | undefined {
    const { serverName, id } = command;
    const isLate = this.#ages.heard(serverName, id);
    const latest = this.#histories.get(keyOf(command))?.latest.get(serverName);
    // Ids start again after 2^31 commands.
    if (latest !== undefined && latest.id >= id && latest.id - id < 2 ** 30) return latest;
    return isLate ? withoutEffect(id) : undefined;
  }

  /** The command is withdrawn, and has not come: it must have no effect when it comes. */
  withdrawn(command: GroupCommand): void {
    this.#remember(command, withoutEffect(command.id));
  }

  /** Remembers a command that is about to be carried out; `isMember` is whether it changes nothing. */
  begin(command: GroupCommand, timeout: number, isMember: boolean): CarriedCommand {
    const { serverName, id, action } = command;
    const carried = { id, deadline: this.#clock.now() + timeout, done: false };
    const history = this.#histories.get(keyOf(command));
    const adder = history?.adder;
    // The connection is a member because of an earlier command of that node, which still waits as well.
    const takesOver = adder !== undefined && !adder.done &&
      history?.latest.get(serverName) === adder;
    const adds = action === GroupAction.Add && (!isMember || takesOver);
    this.#remember(command, carried).adder = adds ? carried : undefined;
    return carried;
  }

  /** Somebody else changes the membership: no earlier command can be undone any more. */
  overrule(target: Target): void {
    if (this.#histories.size === 0) return;
    const history = this.#histories.get(keyOf(target));
    if (history !== undefined) history.adder = undefined;
  }

  /** Whether the connection is a member because of that command alone, which counts as undone then. */
  undo(target: Target, carried: CarriedCommand): boolean {
    const history = this.#histories.get(keyOf(target));
    if (history?.adder !== carried) return false;
    history.adder = undefined;
    return true;
  }

  /** Forgets what no node repeats any more. Called by the heartbeat. */
  sweep(): void {
    this.#histories.sweep();
    this.#ages.sweep();
  }

  #remember(command: GroupCommand, carried: CarriedCommand): History {
    const key = keyOf(command);
    const history = this.#histories.get(key) ?? { latest: new Map(), adder: undefined };
    const { latest } = history;
    // Deleted first, so that the oldest stay first.
    latest.delete(command.serverName);
    latest.set(command.serverName, carried);
    if (latest.size > MAXIMUM_NODES) forgetOldest(latest);
    this.#histories.set(key, history);
    return history;
  }
}

function withoutEffect(id: number): CarriedCommand {
  return { id, deadline: -Infinity, done: false };
}

function forgetOldest(latest: Map<string, unknown>): void {
  for (const oldest of latest.keys()) {
    latest.delete(oldest);
    return;
  }
}

function keyOf({ connectionId, group }: Target): string {
  return JSON.stringify([connectionId, group]);
}
