/**
 * A board of notes: everybody who is signed in reads and writes, admins also clear it.
 *
 * @module
 */
import { defineHub, type HubAccess, type HubContext, HubError } from "@hubplane/hubplane";
import { method } from "@hubplane/hubplane/schema";
import type { Member } from "./accounts.ts";

/** What the board tells its clients. */
export interface BoardClient {
  /** Somebody has written a note. */
  noted(from: string, text: string): void;
  /** An admin has cleared the board. */
  cleared(by: string): void;
}

type Context = HubContext<BoardClient, Member>;

/** The last notes, so many. */
const notes: string[] = [];
const MAXIMUM_NOTES = 100;

/** The hub. */
export const board = defineHub({
  // Without a user the answer is 401, before there is a connection.
  authorize: ({ user }: HubAccess<Member>) => user !== undefined,
  methods: {
    read: (_context: Context) => notes,
    async write({ clients, user }: Context, text: string) {
      if (typeof text !== "string" || text.length > 200) {
        throw new HubError("A note is text of at most 200 characters");
      }
      if (notes.push(text) > MAXIMUM_NOTES) notes.shift();
      await clients.all.send("noted", user?.id ?? "", text);
    },
    clear: method({
      authorize: ({ user }: Context) => user?.admin === true,
      async handler({ clients, user }: Context) {
        notes.length = 0;
        await clients.all.send("cleared", user?.id ?? "");
      },
    }),
  },
});
