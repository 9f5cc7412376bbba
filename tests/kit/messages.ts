/** A call as a client sends it; one without an id wants no answer. */
export function call(id: string | undefined, target: string, ...args: readonly unknown[]) {
  return { type: 1, ...id !== undefined && { invocationId: id }, target, arguments: args };
}

/** A call of a method that streams. */
export function streamCall(id: string, target: string, ...args: readonly unknown[]) {
  return { ...call(id, target, ...args), type: 4 };
}

/** A call with streams of the client's. */
export function uploading(
  id: string,
  target: string,
  streamIds: readonly string[],
  ...args: readonly unknown[]
) {
  return { ...call(id, target, ...args), streamIds };
}

/** A call that wants no answer, as JSON. */
export function invocation(target: string, ...args: readonly unknown[]): string {
  return `${JSON.stringify(call(undefined, target, ...args))}\x1e`;
}

/** What a call is answered that has succeeded. */
export function result(id: string, value: unknown = null) {
  return { type: 3, invocationId: id, result: value };
}

/** What a call is answered that has failed. */
export function failure(id: string, error: string) {
  return { type: 3, invocationId: id, error };
}

/** An item of a stream. */
export function item(id: string, value: unknown) {
  return { type: 2, invocationId: id, item: value };
}

/** The end of a stream, and of a call that has no result. */
export function end(id: string, error?: string) {
  return { type: 3, invocationId: id, ...error !== undefined && { error } };
}

/** A client wants no more of a stream. */
export function cancel(id: string) {
  return { type: 5, invocationId: id };
}
