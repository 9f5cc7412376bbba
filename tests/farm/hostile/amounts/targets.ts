/**
 * What a client can do to others through a hub: groups, messages, results.
 *
 * @module
 */
import { call } from "../../../kit/messages.ts";
import { sized } from "../../../kit/sizes.ts";
import { type Amount, endless, flooding, LIMITS, many, numbered } from "./amount.ts";
import { type Action, type Attacker, packed } from "./attacker.ts";

/** The name of a group that no other client has. */
function named({ number }: Attacker, group: number): string {
  return `group-${number}-${group}`;
}

/** How many groups a client joins by one call: more than the thousand that it may be in. */
const JOINS = sized(1500, 10_000);

const GROUPS: readonly Amount[] = [
  {
    name: "joins of new groups",
    act: flooding((attacker) =>
      numbered(300, (number) => call(undefined, "join", named(attacker, number)))
    ),
  },
  {
    name: "joins of new groups, and leaves",
    act: flooding((attacker) =>
      numbered(
        300,
        (number) =>
          call(undefined, number % 2 === 0 ? "join" : "leave", named(attacker, number >> 1)),
      )
    ),
  },
  {
    name: "joins of new groups by one call",
    act: flooding((
      attacker,
    ) => [packed([call(undefined, "joinMany", named(attacker, 0), JOINS)])]),
    // In full size each of these calls makes 9,000 errors. One call is one turn, and a healthy client waits
    // for those of twenty clients.
    limits: { peakMiB: 600, crowdAnswer: sized(LIMITS.crowdAnswer, 3000) },
  },
  { name: "a thousand groups of a client that comes and goes", act: comingWithGroups },
  {
    name: "joins and leaves of one group",
    act: flooding(() =>
      endless(packed(many(300, (index) => call(undefined, index % 2 ? "leave" : "join", "one"))))
    ),
  },
  {
    name: "leaves of groups that it is not in",
    act: flooding((attacker) =>
      numbered(300, (number) => call(undefined, "leave", named(attacker, number)))
    ),
  },
  { name: "joins for a connection of another node", act: joiningElsewhere },
  {
    name: "joins for ids that exist nowhere",
    act: flooding((attacker) =>
      numbered(
        300,
        (number) => call(undefined, "addOne", `nobody-${attacker.number}-${number}`, "g"),
      )
    ),
  },
  {
    name: "joins for one id that exists nowhere",
    act: flooding(() => endless(packed(many(300, () => call(undefined, "addOne", "nobody", "g"))))),
  },
];

/** Connects, joins a thousand new groups, and leaves, again and again. */
async function comingWithGroups(attacker: Attacker): Promise<void> {
  await attacker.again(async (round) => {
    const socket = await attacker.webSocket();
    await socket.write(packed([call("1", "joinMany", named(attacker, round), 1000)]));
    await socket.answered();
    await socket.leave(attacker.way);
  });
}

/** Adds a connection of another node to new groups. */
async function joiningElsewhere(attacker: Attacker): Promise<void> {
  const { connectionId, connectionToken: token } = await attacker.negotiate("", attacker.far);
  const member = await attacker.webSocket({ token, port: attacker.far });
  await flooding(() =>
    numbered(300, (number) => call(undefined, "addOne", connectionId, named(attacker, number)))
  )(attacker);
  await member.leave(attacker.way);
}

const MESSAGES: readonly Amount[] = [
  {
    name: "messages to a group of all that do this",
    act: flooding(function* () {
      yield packed([call(undefined, "join", "crowd")]);
      yield* endless(packed(many(50, () => call(undefined, "tell", "crowd", "x".repeat(100)))));
    }),
  },
  {
    name: "messages to a group whose members do not read",
    act: flooding(function* () {
      yield packed([call(undefined, "join", "crowd")]);
      yield* endless(packed([call(undefined, "tell", "crowd", "x".repeat(30_000))]));
    }, { reads: false }),
  },
  {
    name: "messages to groups that have no members",
    act: flooding((attacker) =>
      numbered(200, (number) => call(undefined, "tell", named(attacker, number), "x"))
    ),
  },
  {
    name: "messages to users that do not exist",
    act: flooding(() => numbered(200, (number) => call(undefined, "tellUser", `u${number}`, "x"))),
  },
  {
    name: "messages to ids that exist nowhere",
    act: flooding(() => numbered(200, (number) => call(undefined, "tellOne", `c${number}`, "x"))),
  },
];

/** Asks a connection of the attacked node from another node, and gives up at once. */
const givenUp: Action = async (attacker) => {
  const { connectionId, connectionToken: token } = await attacker.negotiate();
  const asked = await attacker.webSocket({ token });
  const asker = await attacker.webSocket({ port: attacker.far });
  const ask = packed(many(100, () => call(undefined, "askOne", connectionId, 50)));
  await Promise.all([attacker.stay(asked), attacker.flood(asker, endless(ask))]);
  await attacker.stay(asker);
  await Promise.all([asked.leave(attacker.way), asker.leave(attacker.way)]);
};

const RESULTS: readonly Amount[] = [
  {
    name: "results that its own calls ask for and never get",
    act: flooding(() => numbered(200, (number) => call(`${number}`, "ask", 1, 2))),
  },
  {
    name: "results that others ask for and give up",
    act: givenUp,
  },
  {
    name: "results of ids that exist nowhere",
    act: flooding(() => numbered(100, (number) => call(undefined, "askOne", `c${number}`, 50))),
  },
];

/** What a client can do to others through a hub. */
export const TARGET_AMOUNTS: readonly Amount[] = [...GROUPS, ...MESSAGES, ...RESULTS];
