import { defineHub, type Hub, type HubContext, type HubMethods } from "../../mod.ts";
import { Events } from "./wait.ts";

type Context = HubContext<{ got(value: unknown): void }>;

/** Where the sources end if nobody ends them: without this bound, a failing test would hang. */
const BRAKE = 2_000_000;

/** A hub whose streams never wait for anything; `ended` gets the name of each stream that was ended. */
export function endlessHub(): { readonly hub: Hub<HubMethods>; readonly ended: Events<string> } {
  const ended = new Events<string>();
  /** Gives one number after the other, and tells how the stream ended. */
  function* numbers(name: string) {
    let given = 0;
    try {
      while (given < BRAKE) yield given++;
    } finally {
      ended.add(given < BRAKE ? name : `${name} was not ended`);
    }
  }
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      *generator(_context: Context) {
        yield* numbers("generator");
      },
      async *asynchronous(_context: Context) {
        yield* numbers("asynchronous");
      },
      readable: (_context: Context) => ReadableStream.from(numbers("readable")),
    },
  });
  return { hub, ended };
}

/** The methods of {@link endlessHub} that stream. */
export const ENDLESS = ["generator", "asynchronous", "readable"] as const;
