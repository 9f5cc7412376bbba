import type { GroupCommand } from "../bus/envelope.ts";

/** A command of this node. */
export type OwnCommand = Omit<GroupCommand, "serverName">;

interface Unanswered {
  readonly command: OwnCommand;
  readonly givenAt: number;
  /** The command before it for the same connection and group, while that is unanswered. */
  previous: Unanswered | undefined;
}

/** The commands of this node that no other node has acknowledged yet. */
export class UnansweredCommands {
  readonly #byId = new Map<number, Unanswered>();
  /** The latest command of each connection and group: it undoes those before, which are not repeated. */
  readonly #latest = new Map<string, Unanswered>();

  get size(): number {
    return this.#byId.size;
  }

  add(command: OwnCommand, now: number): void {
    const key = keyOf(command);
    const unanswered = { command, givenAt: now, previous: this.#latest.get(key) };
    this.#byId.set(command.id, unanswered);
    this.#latest.set(key, unanswered);
  }

  delete(command: OwnCommand): void {
    const unanswered = this.#byId.get(command.id);
    if (unanswered === undefined) return;
    this.#byId.delete(command.id);
    unanswered.previous = undefined;
    const key = keyOf(command);
    if (this.#latest.get(key) === unanswered) this.#latest.delete(key);
  }

  /**
   * The ids of the commands that an acknowledgement of `id` answers. The node of the connection gets
   * commands in their order: if it has not got an earlier command, that one has no effect any more.
   */
  answeredBy(id: number): number[] {
    const ids = [id];
    const answered = this.#byId.get(id);
    let previous = answered?.previous;
    if (answered !== undefined) answered.previous = undefined;
    for (; previous !== undefined; previous = previous.previous) ids.push(previous.command.id);
    return ids;
  }

  /** The commands to be given again, of those that were given until `time`. */
  *givenUntil(time: number): Generator<OwnCommand, void> {
    for (const { command, givenAt } of this.#latest.values()) {
      if (givenAt <= time) yield command;
    }
  }
}

function keyOf({ connectionId, group }: OwnCommand): string {
  return JSON.stringify([connectionId, group]);
}
