/**
 * Types for clients: from one hub definition, what a `HubConnection` of `@microsoft/signalr` can do.
 * Types only; nothing of this module exists at run time.
 *
 * @module
 */
import type { HubContext } from "./context.ts";
import type { Hub, HubMethods } from "./hub.ts";
import type { InputsOf, StreamInputsOf, StreamSchemas } from "./method.ts";
import type { StandardSchema } from "./schema.ts";

/** The interface that the clients of a hub implement, from the contexts of its methods. */
export type ClientOf<H> = H extends Hub<infer M>
  ? FunctionsOf<M>[keyof M] extends (context: infer X, ...args: never[]) => unknown
    ? X extends HubContext<infer C, infer _U> ? C : never
  : never
  : never;

/** The methods of a hub, or of its definition's `methods`, as the functions that clients see. */
export type MethodsOf<H> = H extends Hub<infer M> ? FunctionsOf<M>
  : H extends HubMethods ? FunctionsOf<H>
  : never;

/** Methods as the functions that clients see. */
export type FunctionsOf<M> = { readonly [K in keyof M]: FunctionOf<M[K]> };

/** A method as the function that clients see: one with schemas takes what they take. */
export type FunctionOf<E> = E extends {
  readonly args: infer A extends readonly StandardSchema[];
  readonly streams?: infer S;
  readonly handler: (context: infer X, ...args: never[]) => infer R;
} ? (context: X, ...args: [...InputsOf<A>, ...StreamInputsOf<Extract<S, StreamSchemas>>]) => R
  : E extends { readonly handler: infer F } ? F
  : E;

/** Takes the items of a stream, as the official client's `IStreamSubscriber`. */
export interface StreamSubscriber<T> {
  /** Called with each item. */
  next(value: T): void;
  /** Called if the stream breaks off. */
  // deno-lint-ignore no-explicit-any -- as the official client declares it
  error(error: any): void;
  /** Called at its end. */
  complete(): void;
}

/** A stream from the server, as the official client's `IStreamResult`. */
export interface StreamResult<T> {
  /** Begins to read; dispose the result to cancel. */
  subscribe(subscriber: StreamSubscriber<T>): { dispose(): void };
}

/**
 * What a client sends for a parameter: a stream for what the method reads as an `AsyncIterable`.
 *
 * The official client skips the second of two streams that stand side by side; keep another argument
 * between them. The method gets its streams behind all other arguments.
 */
export type ArgumentOf<P> = P extends AsyncIterable<infer T> ? StreamResult<T> : P;

/** What a client sends for the parameters of a method, without its context. */
export type ArgumentsOf<F> = F extends (context: never, ...args: infer A) => unknown
  ? { [I in keyof A]: ArgumentOf<A[I]> }
  : never;

/** What a method gives: the items if it streams, else its result. */
export type ItemOf<F> = F extends (...args: never[]) => infer R
  ? Awaited<R> extends AsyncIterable<infer T> | Iterable<infer T> ? T : never
  : never;

/** The names of the methods that do not stream. */
export type PlainMethod<M> =
  & { [K in keyof M]: IsStream<M[K]> extends true ? never : K }[keyof M]
  & string;

/** The names of the methods that stream. */
export type StreamMethod<M> =
  & { [K in keyof M]: IsStream<M[K]> extends true ? K : never }[keyof M]
  & string;

/** Whether a method streams. */
export type IsStream<F> = F extends (...args: never[]) => infer R
  ? Awaited<R> extends AsyncIterable<unknown> | Generator ? true : false
  : false;

/** What a plain method gives, as it arrives: a method without a result gives `null`. */
export type ResultOf<F> = F extends (...args: never[]) => infer R
  ? Awaited<R> extends void ? null : Awaited<R>
  : never;

/**
 * A typed view of a `HubConnection` of `@microsoft/signalr`: `H` is the type of the hub, `C` the
 * interface that the client implements.
 *
 * @example
 * ```ts ignore
 * import { HubConnectionBuilder } from "@microsoft/signalr";
 * import type { HubProxy } from "@hubplane/hubplane/client";
 * import type { chat, ChatClient } from "./chat.ts";
 *
 * const connection = new HubConnectionBuilder().withUrl("/chat").build();
 * const hub: HubProxy<typeof chat, ChatClient> = connection;
 * hub.on("message", (room, from, text) => console.log(room, from, text));
 * await connection.start();
 * await hub.invoke("say", "lobby", "hello");
 * ```
 */
export interface HubProxy<H, C = ClientOf<H>> {
  /** Calls a method and resolves with its result. */
  invoke<K extends PlainMethod<MethodsOf<H>>>(
    method: K,
    ...args: ArgumentsOf<MethodsOf<H>[K]>
  ): Promise<ResultOf<MethodsOf<H>[K]>>;
  /** Calls a method without waiting for its result. */
  send<K extends PlainMethod<MethodsOf<H>>>(
    method: K,
    ...args: ArgumentsOf<MethodsOf<H>[K]>
  ): Promise<void>;
  /** Calls a method that streams. */
  stream<K extends StreamMethod<MethodsOf<H>>>(
    method: K,
    ...args: ArgumentsOf<MethodsOf<H>[K]>
  ): StreamResult<ItemOf<MethodsOf<H>[K]>>;
  /** Handles what the server calls; what the handler returns is the client's result. */
  on<K extends keyof C & string>(method: K, handler: HandlerOf<C[K]>): void;
  /** Removes the handlers of a method, or one of them. */
  off<K extends keyof C & string>(method: K, handler?: HandlerOf<C[K]>): void;
}

/** A handler of a client method; it may return its result later. */
export type HandlerOf<F> = F extends (...args: infer A) => infer R
  ? (...args: A) => R | Promise<Awaited<R>>
  : never;
