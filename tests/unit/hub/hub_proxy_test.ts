import { HubConnectionBuilder, Subject } from "@microsoft/signalr";
import { defineHub, type HubContext } from "@hubplane/hubplane";
import type { HubProxy } from "@hubplane/hubplane/client";
import { assertEquals } from "@std/assert";

interface Client {
  message(room: string, number: number): void;
  add(a: number): number;
}
type Context = HubContext<Client>;

const hub = defineHub({
  methods: {
    measure: (_context: Context, room: string) => room.length,
    async nothing(_context: Context) {
      await Promise.resolve();
    },
    async *count(_context: Context, to: number) {
      for (let n = 0; n < to; n++) yield await Promise.resolve(n);
    },
    letters: (_context: Context) => ReadableStream.from(["a", "b"]),
    async sum(_context: Context, items: AsyncIterable<number>) {
      let sum = 0;
      for await (const item of items) sum += item;
      return sum;
    },
    list: (_context: Context) => [1, 2],
    search: (_context: Context, text: string, limit?: number) => [text, limit],
    page: (_context: Context, from = 0, size: number | null = null) => [from, size],
    maybe: (_context: Context, text: string | undefined, any?: unknown) => [text, any],
    every: (_context: Context, first: number, ...texts: string[]) => [first, texts],
  },
});

/** Only its types matter; it is never called. */
async function typed(proxy: HubProxy<typeof hub, Client>): Promise<readonly unknown[]> {
  const length: number = await proxy.invoke("measure", "x");
  const nothing: null = await proxy.invoke("nothing");
  const list: readonly number[] = await proxy.invoke("list");
  const sum: number = await proxy.invoke("sum", new Subject<number>());
  proxy.stream("count", 3).subscribe({
    next: (item: number) => void item,
    error: () => {},
    complete: () => {},
  });
  proxy.stream("letters").subscribe({
    next: (item: string) => void item,
    error: () => {},
    complete: () => {},
  });
  proxy.on("message", (room: string, number: number) => void [room, number]);
  proxy.on("add", (a) => a + 1);
  // The server refuses a call with fewer arguments than the method declares.
  await proxy.invoke("search", "x", 1);
  // @ts-expect-error -- the server wants the optional argument
  await proxy.invoke("search", "x");
  // @ts-expect-error -- undefined arrives as null
  await proxy.invoke("search", "x", undefined);
  await proxy.invoke("page", 0, null);
  // @ts-expect-error -- the server wants the argument that has a default
  await proxy.invoke("page", 0);
  // @ts-expect-error -- the server wants all arguments
  await proxy.send("page");
  await proxy.invoke("maybe", "x", null);
  // @ts-expect-error -- undefined arrives as null
  await proxy.invoke("maybe", undefined, 1);
  await proxy.invoke("every", 1);
  await proxy.invoke("every", 1, "a", "b");
  // @ts-expect-error -- the method has another name
  await proxy.invoke("mesure", "x");
  // @ts-expect-error -- the argument has another type
  await proxy.invoke("measure", 1);
  // @ts-expect-error -- there is one argument too few
  await proxy.invoke("measure");
  // @ts-expect-error -- the method streams
  await proxy.invoke("count", 3);
  // @ts-expect-error -- the method does not stream
  proxy.stream("measure", "x");
  // @ts-expect-error -- the server calls no such method
  proxy.on("other", () => {});
  // @ts-expect-error -- the items have another type
  await proxy.invoke("sum", new Subject<string>());
  return [length, nothing, list, sum];
}

Deno.test("HubProxy types an official HubConnection", () => {
  const connection = new HubConnectionBuilder().withUrl("http://localhost/hub").build();
  const proxy: HubProxy<typeof hub> = connection;
  assertEquals(typeof proxy.invoke, "function");
  assertEquals(typed.length, 1);
});
