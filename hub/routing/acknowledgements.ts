import { type Acknowledgement, GroupAction } from "../bus/envelope.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { Questions } from "../bus/questions.ts";
import { GroupAckTimeoutError, HubError } from "../definition/errors.ts";
import type { OwnCommand } from "./unanswered_commands.ts";
import type { WatchedConnections } from "./watched_connections.ts";

/** A command of this node that waits for its acknowledgement. */
export interface AwaitedCommand extends OwnCommand {
  /** How long the acknowledgement may take, in milliseconds. */
  readonly timeout: number;
}

/** The group commands of this node that another node acknowledges. */
export class Acknowledgements {
  readonly #pending: Questions<number, void>;
  readonly #watched: WatchedConnections;
  #lastId = 0;

  constructor(context: NodeContext, watched: WatchedConnections) {
    this.#pending = new Questions(context);
    this.#watched = watched;
  }

  /** A new id. */
  next(): number {
    // An int32 between nodes: start again rather than overflow.
    return this.#lastId = this.#lastId === 0x7fffffff ? 1 : this.#lastId + 1;
  }

  /** Resolves when a command is acknowledged; rejects with the error why the command is not. */
  async wait(command: AwaitedCommand): Promise<void> {
    const { id, connectionId, timeout } = command;
    const watched = this.#watched.begin(connectionId);
    try {
      const late = () => unacknowledged(command);
      await this.#pending.ask(id, { connectionId, timeout, late });
    } finally {
      if (watched !== undefined) this.#watched.end(watched);
    }
  }

  /** Another node has answered. An unknown id is ignored. */
  settle({ id, error }: Acknowledgement): void {
    this.#pending.settle(id, error === undefined ? undefined : new HubError(error));
  }

  /** There will be no answer. */
  fail(id: number, error: Error): void {
    this.#pending.settle(id, error);
  }

  /** No living node has a connection: no node will acknowledge commands for it. */
  lost(connectionId: string): void {
    const connection = `connection ${JSON.stringify(connectionId)}`;
    const text = `Cannot change the groups of ${connection}: no node has the connection`;
    this.#pending.abandon(connectionId, new GroupAckTimeoutError(text));
  }

  /** Rejects everything that waits. */
  close(error: Error): void {
    this.#pending.close(error);
  }
}

function unacknowledged({ action, connectionId, group, timeout }: AwaitedCommand): Error {
  const verb = action === GroupAction.Add ? "add to" : "remove from";
  return new GroupAckTimeoutError(
    `Cannot ${verb} group ${JSON.stringify(group)}: no node answered for connection ` +
      `${JSON.stringify(connectionId)} within ${timeout} ms`,
  );
}
