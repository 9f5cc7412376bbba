/**
 * Methods whose arguments are checked, and that not everybody may call.
 *
 * @module
 */
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

/** A schema for each stream of a client, or how many streams there are, of items unchecked. */
export type StreamSchemas = readonly StandardSchema[] | number;

/** What a list of schemas makes of what is sent. */
export type OutputsOf<A extends readonly StandardSchema[]> = {
  -readonly [I in keyof A]: SchemaOutput<A[I]>;
};

/** What may be sent to a list of schemas. */
export type InputsOf<A extends readonly StandardSchema[]> = {
  -readonly [I in keyof A]: SchemaInput<A[I]>;
};

/** Streams of what schemas make of items. */
export type CheckedStreams<A extends readonly StandardSchema[]> = {
  -readonly [I in keyof A]: AsyncIterable<SchemaOutput<A[I]>>;
};

/** Streams of what may be sent as items. */
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

/** `N` streams of items unchecked. */
export type UncheckedStreams<N extends number, Streams extends AsyncIterable<unknown>[] = []> =
  number extends N ? AsyncIterable<unknown>[]
    : Streams["length"] extends N ? Streams
    : UncheckedStreams<N, [...Streams, AsyncIterable<unknown>]>;

/**
 * Says whether the caller may call a method: only `true` says yes. It gets what the method would get;
 * streams cannot be read yet, so it gets none. Annotate the context.
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
   * A schema for each argument, of any library that speaks [Standard Schema](https://standardschema.dev).
   * A client must send exactly as many, and the method gets what the schemas make of them.
   */
  readonly args: A;
  /**
   * A schema for the items of each stream that the client sends, or how many streams there are. A
   * stream ends with an error at the first item that its schema refuses.
   */
  readonly streams?: S;
  /** Says whether the caller may call it. Without it everybody may who may use the hub. */
  readonly authorize?: MethodPolicy<OutputsOf<A>>;
  /** The method: the context, the arguments, the streams. Annotate the context. */
  readonly handler: (context: X, ...args: [...OutputsOf<A>, ...StreamOutputsOf<S>]) => R;
}

/** A method that not everybody may call, for {@link method}. */
export interface GuardedMethod<F extends (context: never, ...args: never[]) => unknown> {
  /** Says whether the caller may call it; the arguments are unchecked. */
  readonly authorize: MethodPolicy<readonly unknown[]>;
  /** The method. */
  readonly handler: F;
  /** There are none: its arguments are those that the handler declares. */
  readonly args?: never;
  /** There are none: its streams are those that the handler declares. */
  readonly streams?: never;
}

/**
 * A method whose arguments are checked against schemas before it runs, with their types inferred. A
 * call whose arguments do not fit fails with a `HubException` that says where and why.
 *
 * @throws {TypeError} if a schema is none, or a part is of the wrong type.
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
 * A method that only those may call whom `authorize` lets.
 *
 * @throws {TypeError} if a part is of the wrong type.
 */
export function method<F extends (context: never, ...args: never[]) => unknown>(
  definition: GuardedMethod<F>,
): GuardedMethod<F>;
export function method(definition: object): object {
  checkMethod(definition, "Cannot define method");
  // Not a spread: a part may come from a prototype.
  const { args, streams, authorize, handler } = definition as Record<string, unknown>;
  return Object.freeze({
    handler,
    ...args !== undefined && { args },
    ...streams !== undefined && { streams },
    ...authorize !== undefined && { authorize },
  });
}

/**
 * Returns normally if `definition` may be a hub's method and is not just a function.
 *
 * @throws {TypeError} if it may not; `task` says what could not be done.
 */
export function checkMethod(definition: unknown, task: string): void {
  if (typeof definition !== "object" || definition === null || !("handler" in definition)) {
    throw new TypeError(`${task}: it is not a function, nor an object with a handler`);
  }
  const { args, streams, authorize, handler } = definition as Record<string, unknown>;
  if (typeof handler !== "function") throw new TypeError(`${task}: handler is not a function`);
  if (authorize !== undefined && typeof authorize !== "function") {
    throw new TypeError(`${task}: authorize is not a function`);
  }
  if (args !== undefined && !isSchemas(args)) {
    throw new TypeError(`${task}: args is not an array of schemas`);
  }
  if (streams === undefined) return;
  if (args === undefined) throw new TypeError(`${task}: streams needs args, which may be []`);
  if (!isSchemas(streams) && !(Number.isSafeInteger(streams) && (streams as number) >= 0)) {
    throw new TypeError(`${task}: streams is neither an array of schemas nor a number of streams`);
  }
}

function isSchemas(list: unknown): boolean {
  return Array.isArray(list) && list.every((schema) => {
    // Some libraries' schemas are functions.
    const properties = Object(schema)["~standard"];
    return properties?.version === 1 && typeof properties.validate === "function";
  });
}
