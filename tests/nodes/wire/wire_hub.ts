import { delay } from "@std/async";
import { describe, toError } from "../../../hub/connection/error_texts.ts";
import { type HubContext, HubError, type SingleClientProxy } from "../../../mod.ts";
import { method, type StandardSchema } from "../../../hub/definition/method.ts";

interface WireClient {
  hello(text: string): void;
  bye(code: number): void;
  add(a: number, b: number): number;
}

/** What the methods of the transcripts' hub receive. */
export type WireContext = HubContext<WireClient>;

/** Named as the exception in the transcripts is: clients see the name with detailed errors. */
export class InvalidOperationException extends Error {
  override readonly name = "InvalidOperationException";
}

const aNumber: StandardSchema<number> = {
  "~standard": {
    version: 1,
    vendor: "tests",
    validate: (value) =>
      typeof value === "number" ? { value } : { issues: [{ message: "Expected a number" }] },
  },
};

const calls = {
  Echo: (_context: WireContext, value: unknown) => value,
  Add: method({
    args: [aNumber, aNumber],
    handler: (_context: WireContext, a, b) => a + b,
  }),
  Secret: method({ authorize: () => false, handler: (_context: WireContext) => "secret" }),
  Nothing: (_context: WireContext) => {},
  NullResult: (_context: WireContext) => null,
  GetSmall: (_context: WireContext) => ({ count: 5, fullName: null, shade: 1 }),
  GetDateMs: (_context: WireContext) => new Date("2026-01-02T03:04:05.678Z"),
  Escapes: (_context: WireContext) => "é😀 <>&'\"+\u2028\\/\n\u0001",
  Opt: (_context: WireContext, a: string, b = "default") => a + b,
  HubFail(_context: WireContext) {
    throw new HubError("no way");
  },
  Crash(_context: WireContext) {
    throw new InvalidOperationException("secret");
  },
  Cycle(_context: WireContext) {
    const cycle: { self?: unknown } = {};
    return cycle.self = cycle;
  },
  async SlowEcho({ signal }: WireContext, value: unknown, milliseconds: number) {
    // Longer than in the transcripts: two that run at a time end in their order on a busy machine too.
    await delay(3 * milliseconds, { signal });
    return value;
  },
  Abort: ({ abort }: WireContext) => abort(),
  async SendThenAbort({ clients, abort }: WireContext) {
    await clients.caller.send("bye", 1);
    abort();
  },
};

const streams = {
  async *Count({ signal }: WireContext, count: number, milliseconds: number) {
    // Long enough to be overtaken on a busy machine, where the transcript has it overtaken.
    const pause = milliseconds < 200 ? milliseconds : 1000;
    for (let n = 0; n < count && !signal.aborted; n++) {
      yield n;
      // Nobody waits for what was cancelled; how it ends is not told.
      if (n + 1 < count && pause > 0) await delay(pause, { signal });
    }
  },
  *StreamNullItem(_context: WireContext) {
    yield null;
  },
  *StreamHubFail(_context: WireContext) {
    yield 1;
    throw new HubError("stream broke");
  },
  *StreamCrash(_context: WireContext) {
    yield 1;
    throw new InvalidOperationException("secret");
  },
  StreamNull: (_context: WireContext) => null,
  StreamThrowsFirst(_context: WireContext) {
    throw new InvalidOperationException("secret");
  },
};

/** Joins what a stream gives, with `join` and from `start`. */
async function fold<T>(
  items: AsyncIterable<T>,
  start: T,
  join: (sum: T, item: T) => T,
): Promise<T> {
  let sum = start;
  for await (const item of items) sum = join(sum, item);
  return sum;
}

const uploads = {
  Sum: method({
    args: [],
    streams: [aNumber],
    handler: (_context: WireContext, items) => fold(items, 0, (a, b) => a + b),
  }),
  async Concat(
    _context: WireContext,
    prefix: string,
    middle: string,
    a: AsyncIterable<string>,
    b: AsyncIterable<string>,
  ) {
    const join = (text: string, item: string) => text + item;
    return await fold(b, await fold(a, prefix, join) + middle, join);
  },
  async *Double(_context: WireContext, items: AsyncIterable<number>) {
    for await (const item of items) yield 2 * item;
  },
  UpErr: method({
    args: [],
    streams: [aNumber],
    handler: (_context: WireContext, items) =>
      fold(items, 0, (a, b) => a + b).then(() => "none", (error) => describe(toError(error))),
  }),
};

/** The result of `add`, or the kind and text of the error. */
function add(client: SingleClientProxy<WireClient>, a: number, b: number): Promise<unknown> {
  return client.invoke("add", a, b).catch((error) => describe(toError(error)));
}

const results = {
  AskMe: ({ clients }: WireContext, value: number) => clients.caller.invoke("add", value, 1),
  AskMeErr({ clients }: WireContext, milliseconds: number) {
    const options = milliseconds > 0 ? { signal: AbortSignal.timeout(milliseconds) } : {};
    return add(clients.caller.with(options), milliseconds, 1);
  },
  AskOther: ({ clients }: WireContext, id: string, timeout: number) =>
    add(clients.client(id).with({ timeout }), 1, 2),
};

/** The methods of the transcripts' hub. */
export const wireMethods = { ...calls, ...streams, ...uploads, ...results };

/** What its clients are greeted with, when they ask for it. */
export async function wireConnected({ request, clients }: WireContext): Promise<void> {
  const hello = new URL(request.url).searchParams.get("hello");
  if (hello !== null) await clients.caller.send("hello", hello);
}
