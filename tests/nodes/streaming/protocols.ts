import type { Hub, HubMethods, HubServerOptions } from "../../../mod.ts";
import type { RunningNode } from "../../kit/running_node.ts";
import { PROTOCOLS, SignalRClient } from "../../kit/signalr_client.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";

/** What a test gets beside what it made itself. */
export interface Parts {
  readonly node: RunningNode<{ "/hub": Hub<HubMethods> }>;
  readonly client: SignalRClient;
  readonly protocol: (typeof PROTOCOLS)[number];
}

/** A test for each hub protocol and server, each with a hub of its own, a node and an official client. */
export function onEachProtocol<T extends { readonly hub: Hub<HubMethods> }>(
  name: string,
  make: () => T,
  run: (parts: Parts & T) => Promise<void>,
  options: HubServerOptions = {},
): Deno.TestDefinition[] {
  return PROTOCOLS.flatMap((protocol) =>
    onEachServer(`${name} (${protocol})`, async (serve) => {
      const made = make();
      await using node = await serve({ ...options, hubs: { "/hub": made.hub } });
      await using client = await SignalRClient.connect(node.url("/hub"), { protocol });
      await run({ ...made, node, client, protocol });
    })
  );
}
