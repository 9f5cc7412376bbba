import type { BackplaneGap } from "../backplane.ts";

/** The commands of a driver's connection. */
export interface ChannelBus {
  /**
   * Asks for `channels`; resolves when the bus has confirmed all of them.
   *
   * @throws {BackplaneUnavailableError} when the connection is lost; any other error is a refusal.
   */
  subscribe(channels: readonly string[]): Promise<void>;
  /** Gives `channels` up, likewise. */
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** The name of `channel` on the bus, with its prefix; a permission must name it so. */
  fullName?(channel: string): string;
  /** Called when the bus confirms refused channels; `gap` lasted from the first refusal until now. */
  missed?(gap: BackplaneGap): void;
}
