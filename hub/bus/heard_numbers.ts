/** A node, and a number of its messages. */
export type NodeNumber = readonly [node: string, number: number];

/** The last numbers of a channel. */
export interface ChannelNumbers {
  readonly channel: string;
  /** The nodes whose last number on the channel is higher than {@link HeardNumbers.nodes} says. */
  readonly last: readonly NodeNumber[];
}

/** What a member of some channels has had of the messages on them, as a value. */
export interface HeardNumbers {
  /**
   * Every node that publishes, and the number up to which the member has had all of that node's messages on
   * the channels. A node that is absent had published nothing.
   */
  readonly nodes: readonly NodeNumber[];
  readonly channels: readonly ChannelNumbers[];
}
