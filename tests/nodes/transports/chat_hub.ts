import { defineHub, type Hub, type HubContext, HubError } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";

type Context = HubContext<{ got(...values: unknown[]): void }>;

/** A call that runs until the test ends it. */
export type WaitingCall = PromiseWithResolvers<unknown>;

/** How a connection ended: its id and the error, if there was one. */
export interface End {
  readonly id: string;
  readonly error: string | undefined;
}

function methods(waiting: Events<WaitingCall>) {
  return {
    echo: (_context: Context, value: unknown) => value,
    fail(_context: Context, text: string) {
      throw new HubError(text);
    },
    whoami: ({ user, connectionId, request }: Context) => [
      user?.id,
      connectionId,
      new URL(request.url).searchParams.get("room"),
      request.headers.get("x-mine"),
    ],
    async join({ groups, connectionId }: Context, group: string) {
      await groups.add(connectionId, group);
    },
    async tell({ clients }: Context, group: string, ...values: unknown[]) {
      await clients.group(group).send("got", ...values);
    },
    async tellAll({ clients }: Context, ...values: unknown[]) {
      await clients.all.send("got", ...values);
    },
    /** Sends `count` messages of `size` characters in one turn. */
    burst({ clients }: Context, count: number, size: number) {
      const text = "x".repeat(size);
      for (let n = 0; n < count; n++) clients.caller.send("got", n, text);
    },
    wait(_context: Context) {
      const call = Promise.withResolvers<unknown>();
      waiting.add(call);
      return call.promise;
    },
    leave: ({ abort }: Context) => abort(),
    *count(_context: Context, to: number) {
      for (let n = 0; n < to; n++) yield n;
    },
  };
}

/** A hub to chat through, that says what happens in it. */
export function chatHub(): {
  readonly hub: Hub<ReturnType<typeof methods>>;
  readonly waiting: Events<WaitingCall>;
  readonly ends: Events<End>;
} {
  const waiting = new Events<WaitingCall>();
  const ends = new Events<End>();
  const hub = defineHub({
    methods: methods(waiting),
    disconnected: ({ connectionId: id }: Context, error) => ends.add({ id, error: error?.message }),
  });
  return { hub, waiting, ends };
}
