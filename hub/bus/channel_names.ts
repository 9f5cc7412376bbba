/**
 * The names of the channels between nodes, exactly as ASP.NET Core SignalR's over Redis
 * (`specs/signalr-redis.md §2`); names of users and groups are used literally.
 *
 * @module
 */

/** The channels of one hub. */
export class HubChannels {
  /** Invocations for everyone. */
  readonly all: string;
  /** Commands for whichever node owns a connection. */
  readonly groupCommands: string;
  /** The name of the hub, the same on every node. */
  readonly hub: string;

  constructor(hub: string) {
    this.hub = hub;
    this.all = `${hub}:all`;
    this.groupCommands = `${hub}:internal:groups`;
  }

  /** Invocations for the members of a group. */
  group(name: string): string {
    return `${this.hub}:group:${name}`;
  }

  /** Invocations for the connections of a user. */
  user(id: string): string {
    return `${this.hub}:user:${id}`;
  }

  /** Invocations for one connection. */
  connection(id: string): string {
    return `${this.hub}:connection:${id}`;
  }

  /** Acknowledgements for one node. */
  ack(serverName: string): string {
    return `${this.hub}:internal:ack:${serverName}`;
  }

  /** Answers of clients for one node. */
  results(serverName: string): string {
    return `${this.hub}:internal:return:${serverName}`;
  }
}
