/**
 * What the compiler promises of filters, policies and schemas: `deno check` reads this file. The
 * functions that hold wrong code are never called.
 *
 * @module
 */
import { Subject } from "@microsoft/signalr";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { z } from "zod";
import {
  createHubServer,
  defineHub,
  type HubAccess,
  type HubContext,
  type HubFilter,
  type HubInvocationContext,
  type HubUser,
  MemoryBackplane,
} from "../../../mod.ts";
import {
  method,
  type SchemaInput,
  type SchemaOutput,
  type StandardSchema,
} from "../../../hub/definition/method.ts";
import type { ClientOf, HubProxy, MethodsOf } from "../../../hub/definition/hub_proxy.ts";
import { claim, holds, type Same } from "./type_claims.ts";

interface Client {
  message(text: string): void;
}
interface Member extends HubUser {
  readonly admin: boolean;
}
type Context = HubContext<Client>;
type MemberContext = HubContext<Client, Member>;

/** A policy for any method and any hub of such users. */
const admin = ({ user }: { readonly user: Member | undefined }) => user?.admin === true;

const hub = defineHub({
  methods: {
    plain: (_context: Context, count: number) => count,
    checked: method({
      args: [z.string(), z.string().transform((text) => text.length), v.object({ n: v.number() })],
      authorize({ user }: MemberContext, text, length, { n }) {
        holds<Same<[typeof text, typeof length, typeof n], [string, number, number]>>();
        return user?.admin === true;
      },
      async handler({ clients }: Context, text, length, { n }) {
        holds<Same<[typeof text, typeof length, typeof n], [string, number, number]>>();
        await clients.all.send("message", text);
        return length;
      },
    }),
    uploads: method({
      args: [z.date().optional()],
      streams: [z.number(), v.pipe(v.string(), v.transform(Number))],
      async *handler(_context: Context, date, first, second) {
        holds<Same<typeof date, Date | undefined>>();
        holds<Same<typeof first, AsyncIterable<number>>>();
        holds<Same<typeof second, AsyncIterable<number>>>();
        yield* ["a", "b"];
      },
    }),
    counted: method({
      args: [],
      streams: 2,
      handler(_context: Context, first, second) {
        holds<Same<typeof first, AsyncIterable<unknown>>>();
        holds<Same<typeof second, AsyncIterable<unknown>>>();
      },
    }),
    guarded: method({ authorize: admin, handler: (_context: Context, text: string) => text }),
    written: { authorize: admin, handler: (_context: Context, text: string) => text },
  },
});

type Methods = MethodsOf<typeof hub>;

claim("MethodsOf has what the schemas of method() take, and what the handler gives", () => {
  holds<Same<Methods["plain"], (_context: Context, count: number) => number>>();
  holds<Same<Parameters<Methods["checked"]>, [Context, string, string, { n: number }]>>();
  holds<Same<ReturnType<Methods["checked"]>, Promise<number>>>();
  holds<
    Same<
      Parameters<Methods["uploads"]>,
      [Context, Date | undefined, AsyncIterable<number>, AsyncIterable<string>]
    >
  >();
  holds<
    Same<
      Parameters<Methods["counted"]>,
      [Context, AsyncIterable<unknown>, AsyncIterable<unknown>]
    >
  >();
  holds<Same<Methods["guarded"], (_context: Context, text: string) => string>>();
  holds<Same<Methods["written"], (_context: Context, text: string) => string>>();
  holds<Same<ClientOf<typeof hub>, Client>>();
});

claim("HubProxy sends what schemas take, and no longer compiles when a method is renamed", () => {
  async function _calls(proxy: HubProxy<typeof hub>) {
    const length: number = await proxy.invoke("checked", "a", "b", { n: 1 });
    const text: string = await proxy.invoke("guarded", `${length}`);
    proxy.stream("uploads", new Date(), new Subject<number>(), new Subject<string>()).subscribe({
      next: (item: string) => void item,
      error() {},
      complete() {},
    });
    await proxy.invoke("counted", new Subject<string>(), new Subject<Date>());
    // @ts-expect-error: the method is called otherwise
    await proxy.invoke("check", "a", "b", { n: 1 });
    // @ts-expect-error: the schema takes a text and makes a number of it
    await proxy.invoke("checked", "a", 1, { n: 1 });
    // @ts-expect-error: an argument is missing
    await proxy.invoke("checked", "a", "b");
    // @ts-expect-error: a part of the argument has another type
    await proxy.invoke("checked", "a", "b", { n: "1" });
    // @ts-expect-error: the items have another type
    proxy.stream("uploads", new Date(), new Subject<number>(), new Subject<number>());
    // @ts-expect-error: a stream is missing
    await proxy.invoke("counted", new Subject<string>());
    // @ts-expect-error: the argument is a text
    await proxy.invoke("guarded", 1);
    return text;
  }
});

claim("method() takes schemas, a context that is annotated, and what the schemas make", () => {
  function _methods() {
    // @ts-expect-error: a schema is an object of some library
    method({ args: ["string"], handler: (_context: Context) => 1 });
    // @ts-expect-error: the schema makes a text
    method({ args: [z.string()], handler: (_context: Context, count: number) => count });
    // @ts-expect-error: there is one argument only
    method({ args: [z.string()], handler: (_context: Context, _a: string, _b: string) => 1 });
    // @ts-expect-error: nothing is known of the context
    method({ args: [z.string()], handler: (context, _text) => context.connectionId });
    // @ts-expect-error: the handler is missing
    method({ args: [z.string()] });
    // @ts-expect-error: streams are behind arguments
    method({ streams: [z.string()], handler: (_context: Context) => 1 });
    // @ts-expect-error: a policy says yes or no
    method({ args: [], authorize: () => "yes", handler: (_context: Context) => 1 });
    // @ts-expect-error: nothing is checked, so nothing is known of the argument
    method({ authorize: (_c: Context, text: string) => text === "", handler: (_c: Context) => 1 });
    method({ authorize: (_c: Context, text) => text === "", handler: (_c: Context) => 1 });
    const late = (_context: Context, text: string) => Promise.resolve(text === "");
    method({ args: [z.string()], authorize: late, handler: (_context: Context) => 1 });
    // @ts-expect-error: the first parameter is the context
    defineHub({ methods: { a: method({ args: [], handler: (text: string) => text }) } });
  }
});

claim("HubFilter and HubPolicy take contexts of any clients and users", async () => {
  const filter: HubFilter = {
    invoke({ method, args, hub }, next) {
      holds<Same<typeof args, readonly unknown[]>>();
      holds<Same<ReturnType<typeof next>, Promise<unknown>>>();
      return next([hub.length, method.length, ...args]);
    },
  };
  await using _server = createHubServer({
    hubs: {
      "/hub": defineHub({
        methods: {},
        filters: [filter, {
          async invoke({ clients, user }: HubInvocationContext<Client, Member>, next) {
            if (user?.admin) await clients.caller.send("message", "hello");
            return await next();
          },
          connected: ({ user }: MemberContext, next) => user?.admin ? next() : undefined,
          disconnected: (_context: Context, error, next) => next(error),
        }],
        authorize: ({ user }: HubAccess<Member>, method) => method === "open" || user !== undefined,
      }),
    },
    backplane: new MemoryBackplane(),
    filters: [filter],
    authorize: ({ user }) => user !== undefined,
    authenticate: () => ({ id: "ann", expires: new Date(0) }),
  });
  function _wrong(backplane: MemoryBackplane) {
    const hubs = { "/hub": hub };
    // @ts-expect-error: no hook of that name
    createHubServer({ hubs, backplane, filters: [{ invoked: () => 1 }] });
    // @ts-expect-error: the arguments of a call are a list
    createHubServer({ hubs, backplane, filters: [{ invoke: (_context, next) => next("text") }] });
    // @ts-expect-error: a filter does not change a context
    createHubServer({ hubs, backplane, filters: [{ invoke: (context) => context.args = [] }] });
    const _unknown: HubFilter = {
      // @ts-expect-error: nothing is known of the clients
      invoke: ({ clients }) => clients.all.send("message"),
    };
    // @ts-expect-error: nothing is known of the user
    createHubServer({ hubs, backplane, authorize: ({ user }) => user?.admin === true });
    // @ts-expect-error: there is no connection yet
    createHubServer({ hubs, backplane, authorize: ({ connectionId }) => connectionId !== "" });
    // @ts-expect-error: a policy says yes or no
    createHubServer({ hubs, backplane, authorize: () => {} });
    // @ts-expect-error: an expiry is a date
    createHubServer({ hubs, backplane, authenticate: () => ({ id: "ann", expires: 5 }) });
  }
});

claim("StandardSchema is the interface that libraries implement, in both directions", () => {
  function _schemas(
    ours: StandardSchema<string, number>,
    theirs: StandardSchemaV1<string, number>,
  ) {
    ours = theirs;
    theirs = ours;
    // @ts-expect-error: it makes a number
    const _other: StandardSchemaV1<string, string> = ours;
  }
  const schema = z.string().transform(Number);
  holds<Same<SchemaInput<typeof schema>, StandardSchemaV1.InferInput<typeof schema>>>();
  holds<Same<SchemaOutput<typeof schema>, StandardSchemaV1.InferOutput<typeof schema>>>();
});
