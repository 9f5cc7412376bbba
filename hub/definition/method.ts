/**
 * Methods with schemas for their arguments, and with policies.
 *
 * @module
 */
import { checkMethod } from "./check_method.ts";
import type { HubContext } from "./context.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "./schema.ts";

export type {
  SchemaFailure,
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaProperties,
  SchemaResult,
  SchemaSuccess,
  SchemaTypes,
  StandardSchema,
} from "./schema.ts";

/** A schema for each stream of a client, or the number of streams whose items are not checked. */
export type StreamSchemas = readonly StandardSchema[] | number;

/** The output types of an array of schemas. */
export type OutputsOf<A extends readonly StandardSchema[]> = {
  -readonly [I in keyof A]: SchemaOutput<A[I]>;
};

/** The input types of an array of schemas. */
export type InputsOf<A extends readonly StandardSchema[]> = {
  -readonly [I in keyof A]: SchemaInput<A[I]>;
};

/** Streams of the output types of schemas. */
export type CheckedStreams<A extends readonly StandardSchema[]> = {
  -readonly [I in keyof A]: AsyncIterable<SchemaOutput<A[I]>>;
};

/** Streams of the input types of schemas. */
export type SentStreams<A extends readonly StandardSchema[]> = {
  -readonly [I in keyof A]: AsyncIterable<SchemaInput<A[I]>>;
};

/** Streams as a method reads them. */
export type StreamOutputsOf<S extends StreamSchemas> = S extends readonly StandardSchema[]
  ? CheckedStreams<S>
  : S extends number ? UncheckedStreams<S>
  : [];

/** Streams as clients send them. */
export type StreamInputsOf<S extends StreamSchemas> = S extends readonly StandardSchema[]
  ? SentStreams<S>
  : S extends number ? UncheckedStreams<S>
  : [];

/** `N` streams whose items are not checked. */
export type UncheckedStreams<N extends number, Streams extends AsyncIterable<unknown>[] = []> =
  number extends N ? AsyncIterable<unknown>[]
    : Streams["length"] extends N ? Streams
    : UncheckedStreams<N, [...Streams, AsyncIterable<unknown>]>;

/**
 * Decides whether the caller may call a method: only `true` allows. The policy gets the context and the
 * arguments of the method, without the streams. Annotate the context.
 */
export type MethodPolicy<Args extends readonly unknown[]> = (
  context: HubContext<never, never>,
  ...args: Args
) => boolean | Promise<boolean>;

/** A method with schemas, for {@link method}. `X` is its context, `R` its result. */
export interface CheckedMethod<
  A extends readonly StandardSchema[],
  S extends StreamSchemas,
  X,
  R,
> {
  /**
   * A schema for each argument, from any library that implements
   * [Standard Schema](https://standardschema.dev). A client must send exactly one argument for each schema,
   * and the method gets the outputs of the schemas.
   */
  readonly args: A;
  /**
   * A schema for the items of each stream of the client, or the number of streams. A stream ends with an
   * error at the first item that its schema refuses.
   */
  readonly streams?: S;
  /** Decides whether the caller may call the method. Without it every user of the hub may. */
  readonly authorize?: MethodPolicy<OutputsOf<A>>;
  /** The method: the context, the arguments, the streams. Annotate the context. */
  readonly handler: (context: X, ...args: [...OutputsOf<A>, ...StreamOutputsOf<S>]) => R;
}

/** A method with a policy, for {@link method}. */
export interface GuardedMethod<F extends (context: never, ...args: never[]) => unknown> {
  /** Decides whether the caller may call the method; the arguments are not checked. */
  readonly authorize: MethodPolicy<readonly unknown[]>;
  /** The method. */
  readonly handler: F;
  /** Absent: the handler declares the arguments. */
  readonly args?: never;
  /** Absent: the handler declares the streams. */
  readonly streams?: never;
}

/**
 * Defines a method whose arguments are checked with schemas before it runs; their types are inferred. A
 * call with invalid arguments fails with a `HubException` that names the argument and the issue.
 *
 * @throws {TypeError} if a schema is not one, or a part is of the wrong type.
 *
 * @example
 * ```ts ignore
 * import { defineHub, type HubContext } from "@hubplane/hubplane";
 * import { method } from "@hubplane/hubplane/schema";
 * import { z } from "zod";
 *
 * interface ChatClient {
 *   message(room: string, text: string): void;
 * }
 *
 * const chat = defineHub({
 *   methods: {
 *     say: method({
 *       args: [z.string().max(40), z.string().max(2000)],
 *       authorize: ({ user }: HubContext<ChatClient>, room) => room === "lobby" || user !== undefined,
 *       async handler({ clients }: HubContext<ChatClient>, room, text) {
 *         await clients.group(room).send("message", room, text);
 *       },
 *     }),
 *   },
 * });
 * ```
 */
export function method<
  const A extends readonly StandardSchema[],
  X,
  R,
  const S extends StreamSchemas = [],
>(definition: CheckedMethod<A, S, X, R>): CheckedMethod<A, S, X, R>;
/**
 * Defines a method that a caller may call only if `authorize` returns `true`.
 *
 * @throws {TypeError} if a part is of the wrong type.
 */
export function method<F extends (context: never, ...args: never[]) => unknown>(
  definition: GuardedMethod<F>,
): GuardedMethod<F>;
export function method(definition: object): object {
  checkMethod(definition, "Cannot define method");
  // Not a spread: a part may be inherited.
  const { args, streams, authorize, handler } = definition as Record<string, unknown>;
  return Object.freeze({
    handler,
    ...args !== undefined && { args },
    ...streams !== undefined && { streams },
    ...authorize !== undefined && { authorize },
  });
}
