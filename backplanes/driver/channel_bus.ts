import type { BackplaneGap } from "../backplane.ts";

/** The commands of a driver's connection. */
export interface ChannelBus {
  /** How many bytes the bus adds to each name of a command or of its answer. */
  readonly overheadBytes?: number;
  /**
   * Asks for `channels`; resolves when the bus has confirmed all of them.
   *
   * @throws {BackplaneUnavailableError} when the connection is lost; any other error is a refusal.
   */
  subscribe(channels: readonly string[]): Promise<void>;
  /** Gives `channels` up, likewise. */
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** Called when the bus confirms refused channels; `gap` lasted from the first refusal until now. */
  missed?(gap: BackplaneGap): void;
}
