import {
  createHubServer,
  defineHub,
  type HubContext,
  type HubUser,
  MemoryBackplane,
} from "../../../mod.ts";

/** What a client of the chat can be told. */
export interface ChatClient {
  message(room: string, text: string, ...tags: number[]): void;
  typing(): Promise<void>;
  readonly version: number;
}

/** A user with rights. */
export interface Member extends HubUser {
  readonly rights: "all" | "none";
}

export type Context = HubContext<ChatClient>;
export type MemberContext = HubContext<ChatClient, Member>;

/** Its clients can be told something. */
export const chat = defineHub({
  methods: {
    async say({ clients }: Context, room: string, text: string) {
      await clients.group(room).send("message", room, text);
      return text.length;
    },
    async *count(_context: Context, from: number) {
      for (let n = from; n > 0; n--) yield n;
    },
  },
  connected: ({ clients }: Context) => clients.others.send("typing"),
  disconnected: ({ clients }: Context, error) => clients.all.send("message", "a", `${error}`),
});

/** Its methods read what {@link Member} has. */
export const members = defineHub({
  methods: { rights: ({ user }: MemberContext) => user?.rights },
});

/** Its clients have no methods. */
export const silent = defineHub({
  methods: { nothing(_context: HubContext<Record<never, never>>) {} },
});

/** A server of all three. */
export function serve() {
  return createHubServer({
    hubs: { "/chat": chat, "/members": members, "/silent": silent },
    backplane: new MemoryBackplane(),
  });
}
