/**
 * What the compiler promises of users: in contexts, hooks, filters and policies; see `public_types.ts`.
 *
 * @module
 */
import {
  type Authenticate,
  type Backplane,
  createHubServer,
  defineHub,
  type HubAccess,
  type HubContext,
  type HubFilter,
  type HubInvocationContext,
  type HubUser,
} from "../../../mod.ts";
import { method } from "../../../hub/definition/method.ts";
import { claim, holds, type Same } from "./type_claims.ts";
import {
  chat,
  type ChatClient,
  type Context,
  type Member,
  type MemberContext,
  members,
} from "./typed_hubs.ts";

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
