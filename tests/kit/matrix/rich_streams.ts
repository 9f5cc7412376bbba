import { HubError } from "../../../mod.ts";
import type { Journal } from "./journal.ts";
import type { RichContext } from "./rich_hub.ts";

/** What `items` gives, and how it ends. */
async function drain(items: AsyncIterable<unknown>): Promise<[unknown[], string]> {
  const all: unknown[] = [];
  try {
    for await (const item of items) all.push(item);
    return [all, "ended"];
  } catch (error) {
    return [all, `${(error as Error).name}: ${(error as Error).message}`];
  }
}

/** Streams in both directions; `journal` hears when those that are named end. */
export function streamMethods(journal: Journal) {
  return {
    async *count(_context: RichContext, to: number) {
      for (let n = 0; n < to; n++) yield await Promise.resolve(n);
    },
    readable: (_context: RichContext, values: unknown[]) => ReadableStream.from(values),
    async *breaks(_context: RichContext, values: unknown[], text: string | null) {
      yield* values;
      throw text === null ? new TypeError("secret") : new HubError(text);
    },
    /** Gives numbers until nobody wants more. */
    async *endless({ signal }: RichContext, name: string) {
      try {
        for (let n = 0; !signal.aborted; n++) {
          yield n;
          // Other connections' calls must get their turn as well.
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        journal.happen(`left ${name}`);
      }
    },
    collect: (_context: RichContext, items: AsyncIterable<unknown>) => drain(items),
    async keep(_context: RichContext, name: string, items: AsyncIterable<unknown>) {
      journal.released(name).resolve(await drain(items));
    },
    kept: (_context: RichContext, name: string) => journal.released(name).promise,
    async two(
      _context: RichContext,
      // Uploads come behind the other arguments, wherever the client has put them.
      between: string,
      first: AsyncIterable<unknown>,
      second: AsyncIterable<unknown>,
    ) {
      return [between, ...await Promise.all([drain(first), drain(second)])];
    },
    /** Sends a group what it reads, while it comes; results in how many that were. */
    async relay({ clients }: RichContext, group: string, items: AsyncIterable<unknown>) {
      let count = 0;
      for await (const item of items) {
        await clients.group(group).send("got", item);
        count++;
      }
      return count;
    },
    /** What a client answers to one question after the other. */
    async *interview({ clients }: RichContext, id: string, questions: unknown[]) {
      for (const question of questions) yield await clients.client(id).invoke("answer", question);
    },
    async stops(_context: RichContext, items: AsyncIterable<unknown>) {
      for await (const _item of items) throw new HubError("Stop it");
    },
    async *double(_context: RichContext, name: string, items: AsyncIterable<number>) {
      try {
        for await (const item of items) yield 2 * item;
      } finally {
        journal.happen(`left ${name}`);
      }
    },
  };
}
