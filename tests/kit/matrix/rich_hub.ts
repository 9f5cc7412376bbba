/**
 * The hub of the matrix: everything that a case calls, and what it asks the server for afterwards.
 *
 * @module
 */
import {
  defineHub,
  type Hub,
  type HubContext,
  HubError,
  type HubMethods,
  type HubUser,
} from "../../../mod.ts";
import { type Journal, journalOfProcess } from "./journal.ts";
import { streamMethods } from "./rich_streams.ts";

/** What the clients of the matrix can be called with. */
export interface RichClient {
  got(...values: unknown[]): void;
  everyone(...values: unknown[]): void;
  answer(value: unknown): unknown;
}

/** What a method of the matrix receives. */
export type RichContext = HubContext<RichClient>;

/** Longer than the 1 MiB that may wait for a client, whatever its system takes at once. */
const TOO_LARGE = 1_200_000;

/** Calls and their results. */
const calls = {
  echo: (_context: RichContext, value: unknown) => value,
  add: (_context: RichContext, a: number, b: number) => a + b,
  nothing(_context: RichContext) {},
  async later(_context: RichContext, value: unknown) {
    await Promise.resolve();
    return value;
  },
  typed: (_context: RichContext) => ({
    bytes: new Uint8Array([1, 2, 255]),
    date: new Date("2026-01-02T03:04:05.678Z"),
    sparse: [undefined, { a: undefined, b: 10n }],
  }),
  refuse(_context: RichContext, text: string) {
    throw new HubError(text);
  },
  async crash(_context: RichContext) {
    await Promise.resolve();
    throw new TypeError("secret");
  },
  note({ items }: RichContext, value: unknown) {
    items.set(items.size, value);
  },
  notes: ({ items }: RichContext) => [...items.values()],
};

/** Calls of clients. */
const sending = {
  async tell({ clients }: RichContext, ...values: unknown[]) {
    await clients.caller.send("got", ...values);
  },
  async tellClient({ clients }: RichContext, id: string, ...values: unknown[]) {
    await clients.client(id).send("got", ...values);
  },
  async tellUser({ clients }: RichContext, user: string, ...values: unknown[]) {
    await clients.user(user).send("got", ...values);
  },
  async tellGroup({ clients }: RichContext, group: string, ...values: unknown[]) {
    await clients.group(group).send("got", ...values);
  },
  async tellOthersInGroup({ clients }: RichContext, group: string, ...values: unknown[]) {
    await clients.othersInGroup(group).send("got", ...values);
  },
  async tellEveryone({ clients }: RichContext, ...values: unknown[]) {
    await clients.all.send("everyone", ...values);
  },
  async join({ groups, connectionId }: RichContext, group: string) {
    await groups.add(connectionId, group);
  },
  async addTo({ groups }: RichContext, id: string, group: string) {
    await groups.add(id, group);
  },
  async removeFrom({ groups }: RichContext, id: string, group: string) {
    await groups.remove(id, group);
  },
  /** Sends `count` messages of `size` characters in one turn. */
  burst({ clients }: RichContext, count: number, size: number) {
    const text = "x".repeat(size);
    for (let n = 0; n < count; n++) clients.caller.send("got", n, text);
  },
  ask: ({ clients }: RichContext, id: string, value: unknown) =>
    outcome(clients.client(id).invoke("answer", value)),
  askCaller: ({ clients }: RichContext, value: unknown) =>
    outcome(clients.caller.invoke("answer", value)),
  /** As {@link ask}, but what the client throws ends the call. */
  demand: ({ clients }: RichContext, id: string, value: unknown) =>
    clients.client(id).invoke("answer", value),
};

/** How a client's result came out. */
async function outcome(result: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await result };
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

/** The life of a connection. */
function living(journal: Journal) {
  return {
    whoami: ({ connectionId, user, request }: RichContext) => ({
      id: connectionId,
      user: user?.id ?? null,
      room: new URL(request.url).searchParams.get("room"),
      mine: request.headers.get("x-mine"),
    }),
    requests: (_context: RichContext, tag: string) => journal.requestsOf(tag),
    /** How a connection ended, as soon as it has: the text of its error or `null`. */
    ended: (_context: RichContext, id: string) => journal.ended(id).promise,
    /** Runs until {@link release} of the same name, in which it results. */
    wait: ({ signal }: RichContext, name: string) => {
      journal.happen(`waiting ${name}`);
      signal.addEventListener("abort", () => journal.happen(`aborted ${name}`), { once: true });
      return journal.released(name).promise;
    },
    release: (_context: RichContext, name: string, value: unknown) =>
      journal.released(name).resolve(value),
    /** Resolves when something has happened, or if it has already. */
    happened: (_context: RichContext, what: string) => journal.happened(what),
    leave: ({ abort }: RichContext) => abort(),
    /** Sends more than may wait: the connection is closed and may reconnect. */
    flood({ clients }: RichContext) {
      // A client that has taken everything takes one message of any size; the system takes some more.
      const text = "x".repeat(TOO_LARGE);
      for (let n = 0; n < 16; n++) clients.caller.send("got", text);
    },
  };
}

/** The hub, which writes what happens into `journal`. */
export function richHub(journal: Journal = journalOfProcess): Hub<HubMethods<HubUser>> {
  return defineHub({
    methods: { ...calls, ...sending, ...streamMethods(journal), ...living(journal) },
    disconnected({ connectionId }: RichContext, error) {
      journal.ended(connectionId).resolve(error?.message ?? null);
    },
  });
}
