/**
 * What the compiler promises: `deno check` reads this file, and each `@ts-expect-error` fails it when
 * the line below has become correct. The functions that hold wrong calls are never called.
 *
 * @module
 */
import {
  type Authenticate,
  type Backplane,
  type BackplaneStatus,
  createHubServer,
  defineHub,
  type HubAccess,
  type HubClients,
  type HubContext,
  type HubFilter,
  type HubGroups,
  type HubInvocationContext,
  type HubServer,
  type HubUser,
  MemoryBackplane,
} from "../../../mod.ts";
import type { ClientOf } from "../../../hub/definition/hub_proxy.ts";
import { method } from "../../../hub/definition/method.ts";
import { claim, holds, type Same } from "./type_claims.ts";

interface ChatClient {
  message(room: string, text: string, ...tags: number[]): void;
  typing(): Promise<void>;
  readonly version: number;
}

interface Member extends HubUser {
  readonly rights: "all" | "none";
}

type Context = HubContext<ChatClient>;
type MemberContext = HubContext<ChatClient, Member>;

const chat = defineHub({
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

const members = defineHub({
  methods: { rights: ({ user }: MemberContext) => user?.rights },
});

const silent = defineHub({
  methods: { nothing(_context: HubContext<Record<never, never>>) {} },
});

/** A server of all three. */
function serve() {
  return createHubServer({
    hubs: { "/chat": chat, "/members": members, "/silent": silent },
    backplane: new MemoryBackplane(),
  });
}

claim("send() takes the methods of the client's interface and their arguments", () => {
  function _calls(clients: HubClients<ChatClient>) {
    clients.all.send("message", "room", "text");
    clients.all.send("message", "room", "text", 1, 2);
    clients.user("ann").send("typing");
    holds<Same<ReturnType<typeof clients.all.send>, Promise<void>>>();
    // @ts-expect-error: no method of that name
    clients.all.send("massage", "room", "text");
    // @ts-expect-error: names are exact
    clients.all.send("Message", "room", "text");
    // @ts-expect-error: an argument is missing
    clients.all.send("message", "room");
    // @ts-expect-error: an argument too many
    clients.all.send("typing", 1);
    // @ts-expect-error: an argument of the wrong type
    clients.all.send("message", "room", 1);
    // @ts-expect-error: a rest argument of the wrong type
    clients.all.send("message", "room", "text", "tag");
    // @ts-expect-error: no method at all
    clients.all.send();
    // @ts-expect-error: the name is no literal
    clients.all.send("message" as string, "room", "text");
    // @ts-expect-error: a property is no method
    clients.all.send("version", 1);
  }
});

claim("HubClients takes names as strings and lists of them", () => {
  function _calls(clients: HubClients<ChatClient>, names: readonly string[]) {
    clients.groups(names).send("typing");
    // @ts-expect-error: one name is no list
    clients.groups("room");
    // @ts-expect-error: a list is no name
    clients.group(names);
    // @ts-expect-error: a number is no id
    clients.client(1);
    // @ts-expect-error: outside a method there is no caller
    clients.caller.send("typing");
    // @ts-expect-error: outside a method there are no others
    clients.others.send("typing");
  }
});

claim("defineHub() asks for a context that is annotated", () => {
  function _hubs() {
    defineHub({
      methods: {
        say({ clients }) {
          // @ts-expect-error: nothing is known of the clients
          clients.all.send("message", "room", "text");
          // @ts-expect-error: nor of the caller
          clients.caller.send("typing");
        },
        who({ user }) {
          // @ts-expect-error: nothing is known of the user
          return user.id;
        },
        text(_context: Context, text) {
          // @ts-expect-error: nothing is known of an argument
          return text.length;
        },
      },
      // @ts-expect-error: nothing is known of the clients here either
      connected: ({ clients }) => clients.all.send("typing"),
    });
  }
});

claim("defineHub() takes functions of a context only", () => {
  function _hubs() {
    // @ts-expect-error: a method is a function
    defineHub({ methods: { say: "text" } });
    // @ts-expect-error: the first parameter is the context
    defineHub({ methods: { say: (text: string) => text } });
    // @ts-expect-error: methods are required
    defineHub({ name: "chat" });
    // @ts-expect-error: the name is a string
    defineHub({ name: 1, methods: {} });
    // @ts-expect-error: no hook of that name
    defineHub({ methods: {}, onConnected: () => {} });
  }
});

claim("defineHub() keeps the types of its methods", () => {
  holds<
    Same<
      Parameters<typeof chat.methods.say>,
      [context: Context, room: string, text: string]
    >
  >();
  holds<Same<ReturnType<typeof chat.methods.say>, Promise<number>>>();
  holds<Same<ReturnType<typeof members.methods.rights>, "all" | "none" | undefined>>();
  // @ts-expect-error: no method of that name
  void chat.methods.shout;
});

claim("ClientOf is the client's interface of a hub", () => {
  holds<Same<ClientOf<typeof chat>, ChatClient>>();
  holds<Same<ClientOf<typeof members>, ChatClient>>();
  holds<Same<ClientOf<typeof silent>, Record<never, never>>>();
  holds<Same<ClientOf<string>, never>>();
});

claim("HubServer.hub() knows the paths and what is served there", async () => {
  await using server = serve();
  holds<Same<typeof server, HubServer<Hubs>>>();
  const handle = server.hub("/chat");
  holds<Same<typeof handle.clients, HubClients<ChatClient>>>();
  holds<Same<typeof handle.groups, HubGroups>>();
  await handle.clients.all.send("message", "room", "text");
  function _calls() {
    // @ts-expect-error: no hub at that path
    server.hub("/other");
    // @ts-expect-error: paths are exact to the compiler
    server.hub("/Chat");
    // @ts-expect-error: any text is no path
    server.hub("/chat" as string);
    // @ts-expect-error: an argument of the wrong type
    handle.clients.all.send("message", "room", 1);
    // @ts-expect-error: its clients have no methods
    server.hub("/silent").clients.all.send("message", "room", "text");
  }
});

type Hubs = {
  readonly "/chat": typeof chat;
  readonly "/members": typeof members;
  readonly "/silent": typeof silent;
};

claim("createHubServer() asks for hubs and a backplane, and options of the right type", () => {
  function _servers(backplane: Backplane) {
    const hubs = { "/chat": chat };
    // @ts-expect-error: the backplane is missing
    createHubServer({ hubs });
    // @ts-expect-error: the hubs are missing
    createHubServer({ backplane });
    // @ts-expect-error: a definition is no hub by name
    createHubServer({ hubs: { "/chat": "chat" }, backplane });
    // @ts-expect-error: a duration is a number
    createHubServer({ hubs, backplane, groupAckTimeout: "5s" });
    // @ts-expect-error: no option of that name
    createHubServer({ hubs, backplane, ackTimeout: 5000 });
    // @ts-expect-error: a user has an id
    createHubServer({ hubs, backplane, authenticate: () => ({ name: "ann" }) });
    // @ts-expect-error: undefined is not an option's absence
    createHubServer({ hubs, backplane, groupAckTimeout: undefined });
    createHubServer({ hubs, backplane, authenticate: () => new Response(null, { status: 401 }) });
    createHubServer({ hubs, backplane, authenticate: () => Promise.resolve({ id: "ann" }) });
  }
});

claim("createHubServer() checks that authenticate returns the users that the methods take", () => {
  function _servers(backplane: Backplane) {
    const checked = defineHub({
      methods: { rights: method({ args: [], handler: ({ user }: MemberContext) => user?.rights }) },
    });
    const ann = { id: "ann" };
    const member: Member = { id: "ann", rights: "all" };
    for (const both of [{ "/members": members, "/chat": chat }, { "/c": checked, "/chat": chat }]) {
      createHubServer({ hubs: both, backplane });
      createHubServer({ hubs: both, backplane, authenticate: () => member });
      createHubServer({ hubs: both, backplane, authenticate: () => ({ ...member, more: 1 }) });
    }
    createHubServer({
      hubs: { "/members": members },
      backplane,
      async authenticate({ url }) {
        await Promise.resolve();
        if (url === "") return undefined;
        return url.length > 9 ? member : new Response(null, { status: 401 });
      },
    });
    // @ts-expect-error: a member has rights
    createHubServer({ hubs: { "/members": members }, backplane, authenticate: () => ann });
    // @ts-expect-error: a member has rights
    createHubServer({ hubs: { "/c": checked, "/d": chat }, backplane, authenticate: () => ann });
    createHubServer({
      // @ts-expect-error: a member has rights
      hubs: { "/members": members },
      backplane,
      authenticate: (request) => Promise.resolve(request.url ? ann : undefined),
    });
    createHubServer({
      // @ts-expect-error: rights are one of two texts
      hubs: { "/members": members },
      backplane,
      authenticate: () => ({ id: "ann", rights: "some" }),
    });
    const authenticate: Authenticate<Member> = () => member;
    createHubServer({ hubs: { "/members": members }, backplane, authenticate });
  }
});

claim("an unannotated filter, hook or policy reads the user", () => {
  const filter: HubFilter = {
    invoke(context, next) {
      holds<Same<typeof context.user, HubUser | undefined>>();
      return context.user?.id === "ann" ? next() : undefined;
    },
    connected: ({ user }) => void user?.id,
    // @ts-expect-error: a plain user has no rights
    disconnected: ({ user }) => void user?.rights,
  };
  const annotated: HubFilter = {
    invoke: (context: HubInvocationContext<ChatClient, Member>, next) =>
      context.user?.rights === "all" ? next() : context.clients.caller.send("typing"),
    connected: ({ user }: MemberContext) => void user?.rights,
  };
  defineHub({
    methods: {},
    filters: [filter, annotated, { invoke: ({ user }, next) => user?.id && next() }],
    authorize: ({ user }, method) => user?.id === method,
    connected: ({ user }) => void user?.id,
    disconnected: ({ user }, error) => void [user?.id, error?.message],
  });
  defineHub({
    methods: {},
    authorize: ({ user }: HubAccess<Member>) => user?.rights === "all",
    connected: ({ user }: MemberContext) => void user?.rights,
  });
  function _wrong() {
    // @ts-expect-error: a filter's context has no text for a user
    defineHub({ methods: {}, filters: [{ invoke: (_context: string, next) => next() }] });
    // @ts-expect-error: a policy says yes or no
    defineHub({ methods: {}, authorize: () => 1 });
    // @ts-expect-error: a plain user has no rights
    defineHub({ methods: {}, authorize: ({ user }) => user?.rights === "all" });
  }
});

claim("HubContext has the user type that a hub declares", () => {
  holds<Same<Context["user"], HubUser | undefined>>();
  holds<Same<MemberContext["user"], Member | undefined>>();
  function _contexts({ user }: MemberContext, context: Context) {
    // @ts-expect-error: a client may be anonymous
    void user.rights;
    void user?.rights;
    // @ts-expect-error: a plain user has no rights
    void context.user?.rights;
    // @ts-expect-error: what identifies a connection does not change
    context.connectionId = "another";
    // @ts-expect-error: a user type has an id
    type _Wrong = HubContext<ChatClient, { readonly rights: string }>;
  }
});

claim("the public types have no any", () => {
  type IsAny<T> = 0 extends (1 & T) ? true : false;
  type NotAny<T> = IsAny<T> extends true ? false : true;
  holds<NotAny<Context["clients"]>>();
  holds<NotAny<Context["groups"]>>();
  holds<NotAny<Context["items"]>>();
  holds<Same<ReturnType<Context["items"]["get"]>, unknown>>();
  holds<NotAny<Context["request"]>>();
  holds<NotAny<Context["signal"]>>();
  holds<NotAny<ClientOf<typeof chat>>>();
  holds<NotAny<Parameters<typeof chat.methods.say>[0]>>();
  holds<NotAny<ReturnType<typeof serve>>>();
  holds<Same<ReturnType<typeof serve>["status"], BackplaneStatus>>();
  holds<Same<ReturnType<ReturnType<typeof serve>["close"]>, Promise<void>>>();
  // The check itself can fail.
  // @ts-expect-error: any is any
  holds<NotAny<unknown extends never ? 1 : ReturnType<typeof JSON.parse>>>();
});
