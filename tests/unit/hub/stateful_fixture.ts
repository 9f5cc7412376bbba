import {
  defineHub,
  type HubClients,
  type HubContext,
  type HubServerOptions,
} from "@hubplane/hubplane";
import { type CoreClient, HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";

interface Client {
  said(text: unknown): void;
}

/** A hub and a client of it that may come back. */
interface Fixture extends AsyncDisposable {
  readonly core: HubCore;
  readonly client: CoreClient;
  /** What the hub's method was called with. */
  readonly called: unknown[];
  /** What `disconnected` was called with. */
  readonly ended: unknown[];
}

/** Starts a hub, whose client has shaken hands in `version` of its protocol. */
export async function start(options: HubServerOptions = {}, version = 2): Promise<Fixture> {
  const called: unknown[] = [];
  const ended: unknown[] = [];
  const hub = defineHub({
    methods: {
      async say({ clients }: HubContext<Client>, text: unknown) {
        called.push(text);
        await clients.caller.send("said", text);
      },
    },
    disconnected: (_context: HubContext<Client>, error?: Error) => ended.push(error?.message),
  });
  const core = new HubCore(hub, options);
  const client = core.admit(undefined, true);
  client.pipe.send({ protocol: "json", version });
  await client.pipe.next();
  await settle();
  return { core, client, called, ended, [Symbol.asyncDispose]: () => core[Symbol.asyncDispose]() };
}

/** What a connection that is closed with leave to come back is told. */
export const CLOSE = { type: 7, allowReconnect: true };

/** Sends to every client from outside a hub method. */
export function tell(core: HubCore, text: string): void {
  const clients: unknown = core.live.clients;
  (clients as HubClients<Client>).all.send("said", text);
}

/** A call of the hub's method. */
export const say = (text: unknown) => ({ type: 1, target: "say", arguments: [text] });
