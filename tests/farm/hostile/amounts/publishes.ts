/**
 * What a publisher can do on the bus: it floods each channel with what belongs there, and with what
 * does not.
 *
 * @module
 */
import { encode } from "@msgpack/msgpack";
import { repeated } from "../repeated.ts";
import { call } from "../../../kit/messages.ts";
import { dial, TcpReader, writeAll } from "../../../kit/tcp.ts";
import { frameOf, joined } from "../../../kit/wire_format.ts";
import { type Amount, endless, many } from "./amount.ts";
import { type Attacker, packed } from "./attacker.ts";

const encoder = new TextEncoder();

/** The members that all channels need: one connection with a user in a group. */
const GROUP = "flooded";
const USER = "flooded";

/** The channels of a node by their kind, behind the prefix. */
const CHANNELS = {
  all: /^hub:all$/,
  group: /^hub:group:flooded$/,
  user: /^hub:user:flooded$/,
  connection: /^hub:connection:/,
  commands: /^hub:internal:groups$/,
  acks: /^hub:internal:ack:/,
  results: /^hub:internal:return:/,
  signs: /^internal:hubplane:signs$/,
  nodes: /^internal:hubplane:node:/,
} as const;

type ChannelName = keyof typeof CHANNELS;

const FRAME = frameOf("json", call(undefined, "text", 0, "x"));
const PACKED = frameOf("messagepack", call(undefined, "text", 0, "x"));
const FRAMES = { json: FRAME, messagepack: PACKED };
const RESULT = frameOf("json", { type: 3, invocationId: "nobody", result: 1 });

/** A sign of life of a node that does not exist: of a kind, with a number, and perhaps with a key. */
function sign(kind: number, id: number, withKey = false): unknown {
  const hubs = [["hub", id, id, ["hub:all", id]]];
  const keys = withKey ? [id, id, new Uint8Array(32).fill(id)] : [];
  return [1, kind, id, `stranger${id}`, 1, 1000, 0, 0, 0, hubs, keys];
}

/** What belongs into each channel. */
const MEANT: Readonly<Record<ChannelName, unknown>> = {
  all: [[], FRAMES],
  group: [[], FRAMES],
  user: [[], FRAMES],
  connection: [[], FRAMES],
  commands: [1, "nobody", 1, "x", "nobody"],
  acks: [1],
  results: ["json", RESULT],
  signs: sign(2, 1),
  nodes: [1, 6, 1, "stranger", "hub", 0, null],
};

/** A question for the result of a client, whose answer nobody awaits. */
const QUESTION = [
  [],
  {
    json: frameOf("json", call("question", "add", 1, 2)),
    messagepack: frameOf("messagepack", call("question", "add", 1, 2)),
  },
  "question",
  "hub:internal:return:nobody",
];

/** Asks whether a client is there; nobody awaits the answer. */
const KNOCK = [1, 4, 1, "nobody", "hub"];

/** Something that is published, and where. */
interface Publication {
  readonly name: string;
  readonly channel: ChannelName;
  /** What is published again and again, one after the other. */
  readonly payloads: readonly Uint8Array[];
}

/** A message of a node that does not exist, with its number; the one before it never comes. */
function numberedMessage(node: string, number: number): unknown {
  return [[], FRAMES, null, null, [node, number, 1]];
}

/** What nodes that do not exist say, each in its own name; more than a node remembers. */
const STRANGERS: readonly Publication[] = [
  strangers("signs of", "signs", (index) => sign(2, index)),
  strangers("keys of", "signs", (index) => sign(2, index, true)),
  strangers("claims of", "nodes", (index) => [1, 10, index, `s${index}`, `c${index}`, 2 ** 47]),
  strangers("answers to claims of", "nodes", (index) => [1, 11, index, `s${index}`, "home"]),
  strangers("index questions of", "nodes", (index) => [1, 6, index, `s${index}`, "hub", 0, null]),
  strangers(
    "questions for messages of",
    "nodes",
    (index) => [1, 8, index, `s${index}`, "hub", "hub:all", 0, null],
  ),
  strangers(
    "index answers of",
    "nodes",
    (index) => [1, 7, 1, `stranger${index}`, "hub", 0, 9, 9, 1, null, ["hub:all", 9]],
  ),
  strangers(
    "repeated messages of",
    "nodes",
    (index) => [1, 9, index, "stranger1", "hub", "hub:all", 0, 9, 9, [9, 1, 0, null]],
  ),
  strangers("holes in the numbers of", "group", (index) => numberedMessage(`s${index}`, 9)),
  {
    name: "holes in the numbers of one stranger",
    channel: "group",
    payloads: many(2000, (index) => encode(numberedMessage("s", 9 + 3 * index))),
  },
];

function strangers(
  what: string,
  channel: ChannelName,
  make: (index: number) => unknown,
): Publication {
  const payloads = many(2000, (index) => encode(make(index + 1)));
  return { name: `${what} 2,000 strangers`, channel, payloads };
}

const PUBLICATIONS: readonly Publication[] = [
  ...(Object.keys(CHANNELS) as ChannelName[]).flatMap((channel) => [
    {
      name: `what belongs to the channel of ${channel}`,
      channel,
      payloads: [encode(MEANT[channel])],
    },
    {
      name: `bytes that nobody can read to the channel of ${channel}`,
      channel,
      payloads: [new Uint8Array(100).fill(0xc1)],
    },
  ]),
  { name: "questions to a client", channel: "connection", payloads: [encode(QUESTION)] },
  { name: "knocks on the channel of a client", channel: "connection", payloads: [encode(KNOCK)] },
  { name: "hellos of a node", channel: "signs", payloads: [encode(sign(1, 1))] },
  { name: "goodbyes of a node", channel: "signs", payloads: [encode(sign(3, 2 ** 50))] },
  ...STRANGERS,
];

/** A command of Redis as bytes. */
function command(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const bytes = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  return joined(
    encoder.encode(`*${parts.length}\r\n`),
    ...bytes.flatMap((part) => [
      encoder.encode(`$${part.length}\r\n`),
      part,
      encoder.encode("\r\n"),
    ]),
  );
}

/** The names of the channels that nodes have subscribed to. */
async function subscribed({ redis, prefix }: Attacker): Promise<string[]> {
  using connection = await dial(redis);
  await writeAll(connection, command("PUBSUB", "CHANNELS", `${prefix}*`));
  await connection.closeWrite();
  const text = new TextDecoder().decode(await new TcpReader(connection).takeAll());
  return text.split("\r\n").filter((line) => line.startsWith(prefix));
}

/** Floods a channel through a connection of its own, while a member of that channel listens. */
async function publish(attacker: Attacker, { channel, payloads }: Publication): Promise<void> {
  const member = await attacker.webSocket({ query: `user=${USER}` });
  await member.write(packed([call("1", "join", GROUP)]));
  await member.heard();
  let names: string[] = [];
  while (names.length === 0 && !attacker.signal.aborted) {
    names = (await subscribed(attacker))
      .filter((name) => CHANNELS[channel].test(name.slice(attacker.prefix.length)));
    await attacker.pause(5);
  }
  const publisher = await attacker.open(true, attacker.redis);
  const publications = joined(
    ...payloads.flatMap((payload) => names.map((name) => command("PUBLISH", name, payload))),
  );
  const chunk = repeated(publications, Math.max(publications.length, 40_000));
  await attacker.flood(publisher, endless(chunk));
  await attacker.stay(member);
  await publisher.leave(attacker.way, false);
  await member.leave(attacker.way);
}

/** What a publisher can do on the bus. */
export const PUBLISH_AMOUNTS: readonly Amount[] = PUBLICATIONS.map((publication) => ({
  name: publication.name,
  act: (attacker) => publish(attacker, publication),
}));
