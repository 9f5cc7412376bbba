import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import type { Backplane } from "../../../mod.ts";
import { nodeChannel, SIGNS } from "../../../hub/bus/node_messages.ts";
import { bounded, randomPrefix } from "../../kit/wait.ts";
import { SERVED_BUSES, type ServedBus } from "./buses.ts";
import type { PipeClient } from "../../kit/pipe.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { untilListed } from "./until_listed.ts";

const GROUP = "hub:group:group";

const GROUP_ACK_TIMEOUT = 600_000;

/** Two nodes on a bus that is a server; `ann` is a client of `one`. */
async function startNodes(bus: ServedBus) {
  const prefix = randomPrefix();
  const open = async () => new RecordingBackplane(await bus.open(prefix));
  const groupAckTimeout = GROUP_ACK_TIMEOUT;
  const one = await PipeNode.start(await open(), { groupAckTimeout });
  const two = await PipeNode.start(await open(), { groupAckTimeout });
  const ann = await one.connect("ann");
  const channels = () => bus.channels(prefix);
  return { one, two, ann, channels };
}

/** Resolves when the backplane of `node` has `status`. */
async function untilStatus(
  node: PipeNode<RecordingBackplane>,
  status: Backplane["status"],
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _listener = node.backplane.onStatus((event) => {
    if (event.status === status) resolve();
  });
  if (node.backplane.status === status) resolve();
  await bounded(promise, `the backplane to be ${status}`);
}

/** Lets the time of nodes pass as it does for everybody, so that they repeat what they ask. */
function passing(...nodes: PipeNode<RecordingBackplane>[]): Disposable {
  const timer = setInterval(() => {
    for (const { clock } of nodes) clock.advance(10);
  }, 10);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The channels that both nodes need. */
function allOf(...nodes: PipeNode<RecordingBackplane>[]): string[] {
  const own = nodes.flatMap(({ baseChannels, serverName }) => [
    ...baseChannels,
    nodeChannel(serverName),
  ]);
  return [...new Set([...own, SIGNS])];
}

/** Lets the hearts of `nodes` beat until `change` is acknowledged or fails. */
async function acknowledged(
  change: Promise<void>,
  ...nodes: PipeNode<RecordingBackplane>[]
): Promise<void> {
  const beat = () => {
    for (const node of nodes) node.advance(1000);
  };
  beat();
  const beating = setInterval(beat, 1000);
  try {
    await bounded(change, "the acknowledgement");
  } finally {
    clearInterval(beating);
  }
}

/**
 * Has `asked` add `ann`, a client of `owner`; while `owner` joins, the bus goes and returns. The join
 * goes on after `meanwhile`.
 */
async function addOverOutage(
  { server }: ServedBus,
  owner: PipeNode<RecordingBackplane>,
  asked: PipeNode<RecordingBackplane>,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  owner.backplane.beforeSubscribe = async (channel) => {
    if (channel !== GROUP || owner.backplane.subscribes(GROUP) > 1) return;
    // The command is here before its sender knows that the bus has accepted it.
    await asked.backplane.accepted.find((channel) => channel === "hub:internal:groups");
    await server.stop();
    for (const node of [owner, asked]) await untilStatus(node, "reconnecting");
    await meanwhile();
  };
  const add = asked.groups.add("ann", "group");
  await owner.backplane.asked.find((call) => call === `+${GROUP}`);
  await untilStatus(asked, "reconnecting");
  await server.start();
  for (const node of [owner, asked]) await untilStatus(node, "open");
  await acknowledged(add, asked, owner);
}

/** Sends numbers to the group all the time, and remembers which of them the bus has accepted. */
class Sending implements AsyncDisposable {
  readonly accepted: number[] = [];
  readonly errors: unknown[] = [];
  /** The number that is sent next. */
  next = 0;
  readonly #from: string;
  #ended = false;
  readonly #running: Promise<void>;

  constructor(node: PipeNode<RecordingBackplane>, from: string) {
    this.#from = from;
    this.#running = this.#run(node);
  }

  /** What a client has heard of it. */
  heardBy({ heard }: PipeClient): number[] {
    return heard.all.filter(([, from]) => from === this.#from).map(([, , number]) =>
      Number(number)
    );
  }

  /** Sends no more; resolves when it is known what became of all. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await bounded(this.#running, "what was sent to settle");
  }

  async #run(node: PipeNode<RecordingBackplane>): Promise<void> {
    const sent: Promise<unknown>[] = [];
    while (!this.#ended) {
      const number = this.next++;
      const outcome = node.clients.group("group").send("heard", this.#from, number);
      sent.push(outcome.then(() => this.accepted.push(number), (error) => this.errors.push(error)));
      await delay(2);
    }
    await Promise.all(sent);
  }
}

for (const [driver, open] of Object.entries(SERVED_BUSES)) {
  Deno.test(`send() to a group that is joined over an outage of ${driver} is lost neither here nor in silence`, async () => {
    await using bus = await open();
    const { one, two, ann } = await startNodes(bus);
    await using _one = one;
    await using _two = two;
    using _passing = passing(one, two);
    await using here = new Sending(one, "here");
    await using there = new Sending(two, "there");
    await bus.server.stop();
    for (const node of [one, two]) await untilStatus(node, "reconnecting");
    const asked = here.next;
    const add = one.groups.add("ann", "group");
    // Its own node serves it while it waits.
    await ann.heard.count(10);
    await bus.server.start();
    await bounded(add, "the join");
    const joined = there.next;
    for (const node of [one, two]) await untilStatus(node, "open");
    const enough = there.next + 20;
    while (there.next < enough) await delay(5);
    for (const sending of [here, there]) await sending[Symbol.asyncDispose]();
    await two.clients.group("group").send("heard", "last");
    await ann.heard.find(([, from]) => from === "last");
    const own = Array.from({ length: here.next - asked }, (_, index) => asked + index);
    assertEquals(here.heardBy(ann), own);
    const heard = there.heardBy(ann);
    assertEquals(heard, [...new Set(heard)].sort((a, b) => a - b));
    const promised = there.accepted.filter((number) => number >= joined);
    assertEquals(promised.filter((number) => !heard.includes(number)), []);
    assert(promised.length >= 20);
    // What was sent while the bus was away has waited for it.
    for (const { errors } of [here, there]) assertEquals(errors, []);
  });

  Deno.test(`groups.add() of a connection that goes over an outage of ${driver} resolves and leaves nothing on the bus`, async () => {
    await using bus = await open();
    const { one, two, ann, channels } = await startNodes(bus);
    await using _one = one;
    await using _two = two;
    await bus.server.stop();
    await untilStatus(one, "reconnecting");
    const add = one.groups.add("ann", "group");
    await ann.leave();
    await bus.server.start();
    await bounded(add, "the join");
    for (const node of [one, two]) await untilStatus(node, "open");
    await untilListed(channels, [...allOf(one, two), "hub:connection:ann", GROUP]);
    one.advance(1000);
    await untilListed(channels, allOf(one, two));
  });

  Deno.test(`groups.add() of a connection that goes over an outage of ${driver} resolves when the bus stays away, too`, async () => {
    await using bus = await open();
    const { one, two, ann, channels } = await startNodes(bus);
    await using _one = one;
    await using _two = two;
    await bus.server.stop();
    await untilStatus(one, "reconnecting");
    const add = one.groups.add("ann", "group");
    await ann.leave();
    one.clock.advance(5000);
    await bounded(add, "the join");
    await bus.server.start();
    for (const node of [one, two]) await untilStatus(node, "open");
    one.advance(1000);
    await untilListed(channels, allOf(one, two));
  });

  Deno.test(`groups.add() of a connection that goes while ${driver} hangs resolves and leaves nothing on the bus`, async () => {
    await using bus = await open();
    const { one, two, ann, channels } = await startNodes(bus);
    await using _one = one;
    await using _two = two;
    bus.server.pause();
    const add = one.groups.add("ann", "group");
    // The bus will do it when it goes on.
    await one.backplane.asked.find((call) => call === `+${GROUP}`);
    await delay(50);
    await ann.leave();
    one.advance(1000);
    bus.server.resume();
    await bounded(add, "the join");
    for (const node of [one, two]) await untilStatus(node, "open");
    one.advance(1000);
    await untilListed(channels, allOf(one, two));
  });

  Deno.test(`groups.add() of a remote connection resolves when ${driver} goes and returns while its node joins`, async () => {
    await using bus = await open();
    const { one: owner, two: asked, ann } = await startNodes(bus);
    await using _owner = owner;
    await using _asked = asked;
    await addOverOutage(bus, owner, asked);
    await asked.clients.group("group").send("heard", "member");
    await ann.heard.count(1);
    assertEquals(ann.texts, ["member"]);
    assertEquals(owner.backplane.subscribes(GROUP), 1);
  });

  Deno.test(`groups.add() of a remote connection that goes while ${driver} is away resolves and leaves nothing on the bus`, async () => {
    await using bus = await open();
    const { one: owner, two: asked, ann, channels } = await startNodes(bus);
    await using _owner = owner;
    await using _asked = asked;
    await addOverOutage(bus, owner, asked, () => ann.leave());
    owner.advance(1000);
    await untilListed(channels, allOf(owner, asked));
  });

  Deno.test(`groups.remove() and groups.add() within unsubscribeDelay while ${driver} is away keep the member`, async () => {
    await using bus = await open();
    const { one, two, ann } = await startNodes(bus);
    await using _one = one;
    await using _two = two;
    await one.groups.add("ann", "group");
    await bus.server.stop();
    for (const node of [one, two]) await untilStatus(node, "reconnecting");
    await one.groups.remove("ann", "group");
    const rejoined = one.groups.add("ann", "group");
    await bus.server.start();
    await bounded(rejoined, "the join");
    for (const node of [one, two]) await untilStatus(node, "open");
    one.advance(1000);
    await two.clients.group("group").send("heard", "member");
    await ann.heard.count(1);
    assertEquals(ann.texts, ["member"]);
  });
}
