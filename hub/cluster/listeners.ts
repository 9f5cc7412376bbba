import type { ClusterHub, RelayListener, TokenListener } from "../bus/cluster.ts";
import type { ClaimMessage, DirectMessage, HubMessage, Sign } from "../bus/node_messages.ts";
import { visitAll, type VisitContext } from "../scheduling/visits.ts";

/** The parts of a server that hear of other nodes. */
export class Listeners {
  /** Every hub, in the order in which they joined. */
  readonly hubs: ClusterHub[] = [];
  tokens: TokenListener | undefined;
  relay: RelayListener | undefined;
  readonly #byName = new Map<string, ClusterHub>();

  /** A hub takes part from now on. */
  join(hub: ClusterHub): void {
    this.hubs.push(hub);
    this.#byName.set(hub.name, hub);
  }

  /** Another node says something that is not a sign. */
  received(message: DirectMessage): void {
    if ("hub" in message) this.#byName.get(message.hub)?.received(message);
    else if (isAboutTokens(message)) this.tokens?.received(message);
    else this.relay?.received(message);
  }

  /** Another node has given a sign; `missed` as in {@link ClusterHub.heard}. */
  heard({ node, hubs }: Sign, missed: boolean): void {
    for (const told of hubs) this.#byName.get(told.hub)?.heard(node, told, missed);
  }

  /** Another node is there no more. */
  ended(node: string, how: "gone" | "dead", context: VisitContext): void {
    this.tokens?.ended(node);
    this.relay?.ended(node);
    visitAll(context, this.hubs, (hub) => hub.ended(node, how));
  }
}

function isAboutTokens(message: Exclude<DirectMessage, HubMessage>): message is ClaimMessage {
  return message.kind === "claim" || message.kind === "claimed" || message.kind === "stand";
}
