import type { HeardChannel } from "../bus/heard_channel.ts";
import type { HeardNumbers } from "../bus/heard_numbers.ts";
import type { HubBus } from "../bus/hub_bus.ts";
import type { MoveBus } from "../bus/move_bus.ts";
import type { Recipient } from "../bus/recipient.ts";
import { type Directory, PERMANENT } from "./directory.ts";
import { GROUP } from "./group_commands.ts";
import { checkConnectionId, checkName } from "./names.ts";

/** What a connection is a member of, and what it has had of that. */
export interface Memberships {
  readonly groups: readonly string[];
  readonly heard: HeardNumbers;
}

/** A connection that has come from another node. */
export interface Arrival {
  /** Settles when the bus has confirmed the channels, or has not in time; cannot reject. */
  readonly confirmed: Promise<unknown>;
  /** Resolves with `true` when nothing is missing, or with `false` if messages for the connection are lost. */
  readonly whole: Promise<boolean>;
}

/** Takes connections out of this node, and takes in connections of other nodes. */
export class RoutedMoves {
  readonly #bus: HubBus;
  readonly #directory: Directory;
  readonly #maximumNameBytes: number;

  constructor(bus: HubBus, directory: Directory, maximumNameBytes: number) {
    this.#bus = bus;
    this.#directory = directory;
    this.#maximumNameBytes = maximumNameBytes;
  }

  /** What is said about connections that move. */
  get bus(): MoveBus {
    return this.#bus.moves;
  }

  /** The connection of that id, if it is here. */
  find(connectionId: string): Recipient | undefined {
    return this.#directory.get(connectionId);
  }

  /**
   * Forgets a connection, which goes on at another node. Returns nothing, and leaves it as it is, while the
   * bus is away, or if something is lost for the connection, which ends then.
   */
  leave(recipient: Recipient): Memberships | undefined {
    const { all, moved, names } = this.#bus;
    if (all === undefined) return undefined;
    const channels = [...this.#directory.channels(recipient)];
    const heard = moved.leave(recipient, [all, ...channels]);
    if (heard === undefined) return undefined;
    const prefix = names.group("");
    const groups = channels.filter(({ rules }) => !rules.permanent).map(({ name }) =>
      name.slice(prefix.length)
    );
    this.#directory.delete(recipient);
    return { groups, heard };
  }

  /**
   * Makes a connection of another node reachable here, and brings it what it has missed. Returns nothing, and
   * does nothing, while the bus is away, or if the connection is here.
   *
   * @throws {HubError} if a name or the id of the connection cannot be one.
   */
  join(
    recipient: Recipient,
    userId: string | undefined,
    { groups, heard }: Memberships,
  ): Arrival | undefined {
    const { all, moved, names } = this.#bus;
    const directory = this.#directory;
    checkConnectionId(recipient.id);
    for (const group of groups) checkName("group", group, this.#maximumNameBytes);
    if (all === undefined || !moved.ready || directory.get(recipient.id) !== undefined) {
      return undefined;
    }
    const joining: (Promise<void> | undefined)[] = [directory.add(recipient)];
    if (userId !== undefined) {
      joining.push(directory.join(recipient, names.user(userId), PERMANENT));
    }
    const groupNames = groups.map((group) => names.group(group));
    for (const name of groupNames) joining.push(directory.join(recipient, name, GROUP));
    const joined: HeardChannel[] = [all, ...directory.channels(recipient)];
    const confirmed = Promise.all(joining);
    return {
      confirmed: Promise.allSettled(joining),
      whole: moved.join(recipient, heard, joined, confirmed),
    };
  }
}
