/** A call as a client sends it; one that streams has type 4. */
export function call(id: string | undefined, target: string, ...args: unknown[]) {
  return { type: 1, ...id !== undefined && { invocationId: id }, target, arguments: args };
}

/** A call of a method that streams. */
export function streamCall(id: string, target: string, ...args: unknown[]) {
  return { ...call(id, target, ...args), type: 4 };
}

/** What a call is answered that has succeeded. */
export function result(id: string, value: unknown) {
  return { type: 3, invocationId: id, result: value };
}

/** What a call is answered that has failed. */
export function failure(id: string, error: string) {
  return { type: 3, invocationId: id, error };
}
