import { assertEquals } from "@std/assert";
import { MemoryBackplane } from "../../../backplanes/memory.ts";
import { Channels } from "../../../hub/bus/channels.ts";
import type { Recipient } from "../../../hub/bus/recipient.ts";
import { Directory } from "../../../hub/routing/directory.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

function recipient(id: string): Recipient {
  return {
    id,
    protocol: "json",
    isClosed: false,
    write: () => false,
    untilWritable: () => undefined,
    unreadable: () => {},
  };
}

/** A directory on a bus in memory, whose turns the test ends. */
function start() {
  const backplane = new MemoryBackplane();
  const clock = new ManualClock();
  let end: (() => void) | undefined;
  const scheduler = new Scheduler(clock, (endTurn) => void (end = endTurn));
  const log = new KeptLog();
  const limitedLog = new LimitedLog(log, clock);
  const options = { subscribeTimeout: 500, unsubscribeDelay: 100 };
  const node = { backplane, clock, scheduler, limitedLog, options };
  const ignored = { requested() {}, confirmed() {}, closed() {}, received() {} };
  const channels = new Channels(node, ignored);
  const directory = new Directory(channels, node, (id) => `own:${id}`);
  const endTurn = async () => {
    end?.();
    for (let tick = 0; tick < 5; tick++) await Promise.resolve();
  };
  return { backplane, channels, directory, endTurn, log };
}

const NAMES = Array.from({ length: 600 }, (_, number) => `group ${number}`);

/** The members of {@link NAMES}. */
const members = (channels: Channels) =>
  NAMES.reduce((sum, name) => sum + [...channels.audience(name)].length, 0);

for (const way of ["delete", "leaveGroups"] as const) {
  Deno.test(`Directory.${way}() leaves 256 channels a turn, and takes nobody else along`, async () => {
    const { backplane, channels, directory, endTurn } = start();
    const [ann, bob] = [recipient("ann"), recipient("bob")];
    for (const one of [ann, bob]) {
      directory.add(one);
      directory.join(one, "user", { permanent: true });
    }
    await Promise.all(NAMES.map((name) => directory.join(ann, name, {})));
    assertEquals([directory.groups(ann), directory.groups(bob)], [600, 0]);
    directory[way](ann);
    directory.join(bob, "group 599", {});
    assertEquals(directory.has(ann), way === "leaveGroups");
    const left: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      left.push(members(channels));
      await endTurn();
    }
    // The user's channel is among those of the first turn.
    assertEquals(left, [600 - 255 + 1, 600 - 511 + 1, 1]);
    assertEquals(directory.groups(ann), 0);
    assertEquals(directory.isMember(bob, "group 599"), true);
    assertEquals(directory.isMember(ann, "user"), way === "leaveGroups");
    channels.close();
    await backplane.close();
  });
}

Deno.test("Directory.delete() leaves every channel, though one of them throws", async () => {
  const { channels, directory, endTurn, log } = start();
  const ann = recipient("ann");
  directory.add(ann);
  await Promise.all(NAMES.map((name) => directory.join(ann, name, {})));
  const { leave } = channels;
  let leaves = 0;
  channels.leave = function (...args) {
    if (++leaves === 500) throw new Error("unforeseen");
    return leave.apply(this, args);
  };
  directory.delete(ann);
  for (let turn = 0; turn < 3; turn++) await endTurn();
  assertEquals([leaves, members(channels), log.lines.length], [601, 1, 1]);
});
