import { defineHub, type HubContext, HubError } from "@hubplane/hubplane";
import { described } from "./described.ts";
import { liveMiB } from "./live_memory.ts";

interface Client {
  text(number: number, text: string): void;
  add(a: number, b: number): number;
  numbered(number: number): void;
}

type Context = HubContext<Client>;

let served = 0;
let released = Promise.withResolvers<void>();
let connections = 0;

/** What objects have from the start. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

function added(name: string): boolean {
  return !INHERITED.has(name);
}

const plain = {
  echo: (_context: Context, value: unknown) => value,
  /** Says what has come. */
  inspect: (_context: Context, value: unknown) => described(value),
  /** The same of any number of values. */
  rest: (_context: Context, ...values: unknown[]) => described(values),
  /** Takes a second, while its caller goes on sending. */
  async slow(_context: Context) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return ++served;
  },
  /** Takes until somebody calls `release`. */
  wait: (_context: Context) => released.promise,
  release(_context: Context) {
    released.resolve();
    released = Promise.withResolvers();
  },
  /** How many of these calls of one connection have come, if they came in order. */
  counted({ items }: Context, number: number) {
    const count = items.get("counted") ?? 0;
    items.set("counted", number === count ? number + 1 : NaN);
    return String(items.get("counted"));
  },
  /** Asks the caller something. */
  ask: ({ clients }: Context, a: number, b: number) => clients.caller.invoke("add", a, b),
  /** Tells its caller a number, then answers it. */
  async number({ clients }: Context, number: number) {
    await clients.caller.send("numbered", number);
    return number;
  },
  /** How many connections this node still has in its hub. */
  open: (_context: Context) => connections,
  /** Whose connection it is. */
  who: ({ user }: Context) => user?.id,
  /** What every object of this node has that it should not have. */
  polluted: (_context: Context) => Object.getOwnPropertyNames(Object.prototype).filter(added),
  memory: (_context: Context) => liveMiB(),
};

const groups = {
  async join({ groups, connectionId }: Context, group: string) {
    await groups.add(connectionId, group);
  },
  async leave({ groups, connectionId }: Context, group: string) {
    await groups.remove(connectionId, group);
  },
  /** One message to a group. */
  async tell({ clients }: Context, group: string, text: string) {
    await clients.group(group).send("text", 0, text);
  },
  /** One message to a user. */
  async tellUser({ clients }: Context, user: string, text: string) {
    await clients.user(user).send("text", 0, text);
  },
  /** Sends `count` messages of `size` characters to a group, each in a turn of its own. */
  async flood({ clients }: Context, group: string, count: number, size: number) {
    const text = "x".repeat(size);
    for (let number = 0; number < count; number++) {
      await clients.group(group).send("text", number, text);
      await new Promise((resolve) => setTimeout(resolve));
    }
    return count;
  },
};

const streams = {
  async *count(_context: Context, count: unknown) {
    if (typeof count !== "number" || !(count >= 0 && count <= 20)) throw new HubError("No count");
    for (let number = 0; number < count; number++) yield await Promise.resolve(number);
  },
  /** Gives nothing until it is cancelled. */
  async *forever({ signal }: Context): AsyncGenerator<never> {
    if (!signal.aborted) await new Promise((resolve) => signal.onabort = resolve);
    yield* [];
  },
  /** Takes an upload and never looks at it. */
  async hold({ signal }: Context, _items: AsyncIterable<unknown>) {
    if (!signal.aborted) await new Promise((resolve) => signal.onabort = resolve);
  },
  /** Says what was uploaded. */
  async collect(_context: Context, items: AsyncIterable<unknown>) {
    if (typeof items?.[Symbol.asyncIterator] !== "function") throw new HubError("No stream");
    const collected: unknown[] = [];
    for await (const item of items) collected.push(item);
    return described(collected);
  },
};

/** What an attack in great amounts calls; {@link ReferenceHub} does not know these methods. */
const costly = {
  /** A stream from memory without end. */
  async *ones(_context: Context) {
    for (;;) yield 1;
  },
  /** A stream from memory. */
  async *rows(_context: Context, count: number) {
    for (let row = 0; row < count; row++) yield row;
  },
  /** Takes an upload, and keeps nothing. */
  async drain(_context: Context, items: AsyncIterable<unknown>) {
    for await (const _item of items);
  },
  /** Takes until its caller has gone. */
  async stay({ signal }: Context) {
    if (!signal.aborted) await new Promise((resolve) => signal.onabort = resolve);
  },
  /** Returns what no protocol can write. */
  unwritable: (_context: Context) => () => {},
  /** Joins many groups at once. */
  async joinMany({ groups, connectionId }: Context, name: string, count: number) {
    const joins = Array.from({ length: count }, (_, n) => groups.add(connectionId, `${name}-${n}`));
    await Promise.allSettled(joins);
  },
  /** Adds any connection to a group, and does not wait. */
  addOne({ groups }: Context, id: string, group: string) {
    groups.add(id, group).catch(() => {});
  },
  /** One message to any connection. */
  async tellOne({ clients }: Context, id: string, text: string) {
    await clients.client(id).send("text", 0, text);
  },
  /** Asks any connection, waits only so long, and does not wait for that. */
  askOne({ clients }: Context, id: string, timeout: number) {
    clients.client(id).with({ timeout }).invoke("add", 1, 2).catch(() => {});
  },
  /** Does nothing else for so many milliseconds. */
  block(_context: Context, milliseconds: number) {
    for (const end = performance.now() + milliseconds; performance.now() < end;);
  },
};

/** The hub that is attacked. {@link ReferenceHub} says what it must answer. */
export const hostileHub = defineHub({
  methods: { ...plain, ...groups, ...streams, ...costly },
  connected() {
    connections++;
  },
  disconnected() {
    connections--;
  },
});
