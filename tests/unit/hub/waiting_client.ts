import { defineHub, type HubContext, type HubServerOptions } from "../../../mod.ts";
import { type CoreClient, HubCore } from "../../kit/hub_core.ts";
import { call } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";
import { Events } from "../../kit/wait.ts";

/** What the client can be told and asked. */
export interface Client {
  got(value: unknown): void;
  ask(): number;
}
/** The context of the hub's methods. */
export type Context = HubContext<Client>;

/** Why a client is closed that sends too far ahead. */
export const FLOODED = "Too many bytes are waiting to be dispatched.";

/** A hub that writes down what happens, and a client that may come back on another socket. */
export async function start(options: HubServerOptions = {}) {
  const happened = new Events<string>();
  const held = new Events<PromiseWithResolvers<void>>();
  const hub = defineHub({
    methods: {
      note: (_context: Context, text: string) => happened.add(text),
      async hold({ signal }: Context, name: string) {
        happened.add(`hold ${name}`);
        signal.addEventListener("abort", () => happened.add(`aborted ${name}`));
        const waiting = Promise.withResolvers<void>();
        held.add(waiting);
        await waiting.promise;
      },
      async ask({ clients }: Context) {
        happened.add(`answer ${await clients.caller.invoke("ask")}`);
      },
      async read(_context: Context, name: string, items: AsyncIterable<unknown>) {
        happened.add(`read ${name}`);
        for await (const item of items) happened.add(`${name} ${item}`);
        happened.add(`${name} ends`);
      },
      keep: (_context: Context, _items: AsyncIterable<unknown>) => new Promise<void>(() => {}),
    },
    disconnected: (_context: Context, error) => happened.add(`disconnected ${error?.message}`),
  });
  const core = new HubCore(hub, options);
  const client = core.admit(undefined, true);
  client.pipe.send({ protocol: "json", version: 2 });
  await client.pipe.next();
  await settle();
  return {
    ...client,
    core,
    happened,
    held,
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

/** The client has a call under way, and another call that waits for the slot. */
export function holdUp({ pipe }: CoreClient): void {
  pipe.send(call("h", "hold", "first"), call("w", "note", "waited"));
}
