import { delay } from "@std/async";
import type { BackplaneGap } from "../../../backplanes/backplane.ts";
import { until } from "../../kit/wait.ts";
import { ChannelSubscriptions } from "../../../backplanes/driver/subscriptions.ts";

/** A command that the bus has not answered. */
interface Command {
  readonly text: string;
  answer(): void;
  refuse(error: Error): void;
}

/** Subscriptions on a bus that answers when a test tells it to. */
export class HeldBus {
  /** What was asked, as `+a,b` or `-a,b`. */
  readonly asked: string[] = [];
  /** The gaps that were reported for refused channels. */
  readonly gaps: BackplaneGap[] = [];
  readonly logged: string[] = [];
  readonly subscriptions: ChannelSubscriptions;
  readonly #commands: Command[] = [];

  constructor(retryDelay?: number, prefix = "prefix:") {
    this.subscriptions = new ChannelSubscriptions(
      {
        fullName: (channel) => prefix + channel,
        subscribe: (channels) => this.#ask(`+${channels.join()}`),
        unsubscribe: (channels) => this.#ask(`-${channels.join()}`),
        missed: (gap) => void this.gaps.push(gap),
      },
      { error: (...all) => void this.logged.push(String(all[0])), warn() {} },
      retryDelay,
    );
  }

  /** The oldest unanswered command, which must be `text`. */
  async command(text: string): Promise<Command> {
    // The next part follows at the end of the turn in which the answer came.
    for (let turns = 0; turns < 3; turns++) await delay(0);
    const index = this.#commands.findIndex((command) => command.text === text);
    const [command] = this.#commands.splice(index, index === -1 ? 0 : 1);
    if (command === undefined) throw new Error(`${text} is not among ${this.asked}`);
    return command;
  }

  /** Whether every command was answered or refused. */
  get idle(): boolean {
    return this.#commands.length === 0;
  }

  /** The oldest unanswered command. */
  async next(): Promise<Command> {
    await until(() => !this.idle);
    const command = this.#commands.shift();
    if (command === undefined) throw new Error("Cannot answer: no command was given");
    return command;
  }

  /** Refuses each command with a channel that is `refused`, and answers the others, until it is `over`. */
  async refuseAll(refused: (channel: string) => boolean, over: () => boolean): Promise<void> {
    const last = performance.now() + 10_000;
    while (!over()) {
      if (performance.now() > last) throw new Error(`Cannot go on: ${over} does not hold`);
      for (const command of this.#commands.splice(0)) {
        if (command.text.slice(1).split(",").some(refused)) command.refuse(new Error("forbidden"));
        else command.answer();
      }
      await delay(0);
    }
  }

  #ask(text: string): Promise<void> {
    this.asked.push(text);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#commands.push({ text, answer: resolve, refuse: reject });
    return promise;
  }
}

/** Subscriptions that have a connection. */
export async function online(bus = new HeldBus()): Promise<HeldBus> {
  await bus.subscriptions.connected();
  return bus;
}

/** Whether `promise` is still pending. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([promise.then(() => false), delay(5).then(() => true)]);
}

/** A handler of nothing. */
export const ignore = () => {};
