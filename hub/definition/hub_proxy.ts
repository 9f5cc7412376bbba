/**
 * Types for clients: they turn a hub definition into a typed `HubConnection` of `@microsoft/signalr`.
 * This module has types only.
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

/** A method as the function that clients see: with schemas it takes their input types. */
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
  /** Called if the stream ends with an error. */
  // deno-lint-ignore no-explicit-any -- as the official client declares it
  error(error: any): void;
  /** Called at the end of the stream. */
  complete(): void;
}

/** A stream from the server, as the official client's `IStreamResult`. */
export interface StreamResult<T> {
  /** Starts the stream; dispose the result to cancel the stream. */
  subscribe(subscriber: StreamSubscriber<T>): { dispose(): void };
}

/**
 * The type that a client sends for a parameter: a stream where the method reads an `AsyncIterable`. It is
 * never `undefined`, which arrives as `null`.
 *
 * The official client skips the second of two adjacent streams; keep another argument between them. The
 * method gets its streams after all other arguments.
 */
export type ArgumentOf<P> = P extends AsyncIterable<infer T> ? StreamResult<T>
  : P extends undefined ? never
  : P;

/**
 * The types that a client sends for the parameters of a method, without the context. A client must send
 * every argument, so optional parameters and parameters with defaults are required.
 */
export type ArgumentsOf<F> = F extends (context: never, ...args: infer A) => unknown
  ? { [I in keyof A]-?: ArgumentOf<A[I]> }
  : never;

/** The type of the items of a method that streams. */
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

/** The type of the result as it arrives: a method without a result returns `null`. */
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
  /** Handles the calls of the server; the returned value is the result of the client. */
  on<K extends keyof C & string>(method: K, handler: HandlerOf<C[K]>): void;
  /** Removes all handlers of a method, or the given one. */
  off<K extends keyof C & string>(method: K, handler?: HandlerOf<C[K]>): void;
}

/** A handler of a client method; it may return a promise of its result. */
export type HandlerOf<F> = F extends (...args: infer A) => infer R
  ? (...args: A) => R | Promise<Awaited<R>>
  : never;
