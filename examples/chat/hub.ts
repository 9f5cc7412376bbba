/**
 * The chat hub: rooms that people on any node join, talk in and leave.
 *
 * @module
 */
import {
  BackplaneUnavailableError,
  defineHub,
  type HubContext,
  HubError,
  type HubUser,
} from "@hubplane/hubplane";

/** What a client of the chat hears. `node` is where the person spoken of is connected. */
export interface ChatClient {
  /** Somebody says something in a room. */
  message(room: string, from: string, text: string, node: string): void;
  /** Somebody is in the room from now on. */
  joined(room: string, name: string, node: string): void;
  /** Somebody is not in the room any more. */
  left(room: string, name: string, node: string): void;
}

type Context = HubContext<ChatClient>;

/** What `say` returns. */
export interface SayResult {
  /** Whether the message left this node; if not, people on other nodes may not have it. */
  readonly reachedOthers: boolean;
}

/** The longest name of a person or a room, in UTF-16 code units. */
const MAXIMUM_NAME = 40;

/** The longest message, in UTF-16 code units. */
const MAXIMUM_TEXT = 2000;

/** How many rooms one connection may be in. */
const MAXIMUM_ROOMS = 20;

/** Defines the chat hub of a node; `node` is its name, as people are shown it. */
export function defineChat(node: string) {
  return defineHub({
    name: "chat",
    methods: {
      /** The name of the node that the caller is connected to. */
      node: (_context: Context) => node,

      async join(context: Context, room: string) {
        checkRoom(room);
        const rooms = roomsOf(context);
        if (rooms.has(room)) return;
        if (rooms.size >= MAXIMUM_ROOMS) {
          throw new HubError(`You are in ${MAXIMUM_ROOMS} rooms already; leave one first`);
        }
        await context.groups.add(context.connectionId, room).catch(refuseWhileAway);
        // Who has gone meanwhile is not announced: `disconnected` could not take it back.
        if (context.signal.aborted) return;
        rooms.add(room);
        await announce(context.clients.group(room).send("joined", room, nameOf(context), node));
      },

      async leave(context: Context, room: string) {
        checkRoom(room);
        if (!roomsOf(context).delete(room)) return;
        await context.groups.remove(context.connectionId, room);
        await announce(context.clients.group(room).send("left", room, nameOf(context), node));
      },

      async say(context: Context, room: string, text: string): Promise<SayResult> {
        checkRoom(room);
        checkText(text);
        if (!roomsOf(context).has(room)) throw new HubError("Join the room before you speak in it");
        const sent = context.clients.group(room).send("message", room, nameOf(context), text, node);
        return { reachedOthers: await announce(sent) };
      },
    },

    async disconnected(context: Context) {
      await Promise.all(
        Array.from(
          roomsOf(context),
          (room) => announce(context.clients.group(room).send("left", room, nameOf(context), node)),
        ),
      );
    },
  });
}

/** Takes the name from `?name=`; who gives none is anonymous, and one that is no name is refused. */
export function authenticate(request: Request): HubUser | undefined | Response {
  const name = new URL(request.url).searchParams.get("name")?.trim();
  if (!name) return undefined;
  if (isName(name)) return { id: name };
  return new Response(`A name is 1 to ${MAXIMUM_NAME} characters in one line`, { status: 400 });
}

/** Waits until the bus has a message; resolves with `false` if only this node has it. */
async function announce(sent: Promise<void>): Promise<boolean> {
  try {
    await sent;
    return true;
  } catch (error) {
    // People on this node have it. Sending it again could show it to the others twice.
    if (error instanceof BackplaneUnavailableError) return false;
    throw error;
  }
}

function refuseWhileAway(error: unknown): never {
  if (!(error instanceof BackplaneUnavailableError)) throw error;
  throw new HubError("The other nodes cannot be reached now");
}

function roomsOf({ items }: Context): Set<string> {
  const rooms = items.get("rooms") as Set<string> | undefined;
  if (rooms !== undefined) return rooms;
  const none = new Set<string>();
  items.set("rooms", none);
  return none;
}

function nameOf({ user }: Context): string {
  return user?.id ?? "anonymous";
}

// A client may send anything where the method says `string`.
function isName(name: unknown): boolean {
  return typeof name === "string" && name.length <= MAXIMUM_NAME && name.isWellFormed() &&
    name === name.trim() && name !== "" && !/\p{Cc}/u.test(name);
}

function checkRoom(room: unknown): void {
  if (isName(room)) return;
  throw new HubError(`The name of a room is 1 to ${MAXIMUM_NAME} characters in one line`);
}

function checkText(text: unknown): void {
  if (typeof text === "string" && text.trim() !== "" && text.length <= MAXIMUM_TEXT) return;
  throw new HubError(`A message is 1 to ${MAXIMUM_TEXT} characters`);
}
