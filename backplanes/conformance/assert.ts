/** The limit of every wait that has no limit of its own, in milliseconds. */
export const WAIT_LIMIT = 20_000;

/** The time that a busy machine may add to a time that the contract bounds, in milliseconds. */
export const SLACK = 2000;

/** How often a case repeats a fault that may come too early or too late to show anything. */
export const ROUNDS = 5;

const encoder = new TextEncoder();

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Throws unless `condition` holds. */
export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw failure(message);
}

function failure(message: string, cause?: unknown): Error {
  const error = new Error(message, { cause });
  error.name = "ConformanceError";
  return error;
}

/** Throws unless `actual` and `expected` have the same JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const equal = JSON.stringify(actual) === JSON.stringify(expected);
  check(equal, `${what}: expected ${shown(expected)}, got ${shown(actual)}`);
}

/** `value` as JSON, shortened. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 500 ? `${text.slice(0, 500)}… (${text.length} characters)` : text;
}

/** Resolves as `promise` does; throws if it rejects, or does not settle within `milliseconds`. */
export async function within<T>(
  promise: PromiseLike<T>,
  what: string | (() => string),
  milliseconds: number = WAIT_LIMIT,
): Promise<T> {
  const text = () => typeof what === "string" ? what : what();
  const refused = (cause: unknown) => {
    if (cause instanceof Error && cause.name === "ConformanceError") throw cause;
    throw failure(`Failed with ${cause}: ${text()}`, cause);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(failure(`Not within ${milliseconds} ms: ${text()}`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise.then(undefined, refused), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error that `promise` rejects with; `undefined` if it resolves. */
export function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => undefined, (error: unknown) => error ?? null);
}

/** The error that `promise` rejects with, which must be a `kind`. */
export async function rejection(
  promise: Promise<unknown>,
  kind: abstract new (...args: never[]) => Error,
  what: string,
  milliseconds: number = WAIT_LIMIT,
): Promise<Error> {
  const error = await within(refusal(promise), `${what} settles`, milliseconds);
  check(error !== undefined, `${what} did not reject`);
  check(error instanceof kind, `${what} rejected with ${error}, not with ${kind.name}`);
  return error;
}

/** Waits for `milliseconds`; only to spread messages over time, or to let a fault last. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
