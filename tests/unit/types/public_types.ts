/**
 * What the compiler promises: `deno check` reads this file, and each `@ts-expect-error` fails it when
 * the line below has become correct. The functions that hold wrong calls are never called.
 *
 * @module
 */
import {
  type Backplane,
  type BackplaneStatus,
  createHubServer,
  defineHub,
  type HubClients,
  type HubGroups,
  type HubServer,
} from "../../../mod.ts";
import type { ClientOf } from "../../../hub/definition/hub_proxy.ts";
import { claim, holds, type Same } from "./type_claims.ts";
import {
  chat,
  type ChatClient,
  type Context,
  type members,
  serve,
  type silent,
} from "./typed_hubs.ts";

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
