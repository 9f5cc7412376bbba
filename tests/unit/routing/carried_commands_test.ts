import { assertEquals } from "@std/assert";
import { GroupAction, type GroupCommand } from "../../../hub/bus/envelope.ts";
import { CarriedCommands } from "../../../hub/routing/carried_commands.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

function start() {
  const clock = new ManualClock();
  const scheduler = new Scheduler(clock);
  const limitedLog = new LimitedLog(console, clock);
  return new CarriedCommands({ clock, scheduler, limitedLog }, 30_000);
}

function add(serverName: string, id = 1): GroupCommand {
  return {
    id,
    serverName,
    action: GroupAction.Add,
    group: "g",
    connectionId: "ann",
    timeout: 1000,
  };
}

Deno.test("CarriedCommands remembers 64 nodes for each connection and group; the oldest go first", () => {
  const commands = start();
  for (let node = 0; node < 64; node++) commands.begin(add(`node ${node}`), 1000, true);
  // A later command makes its node the newest.
  commands.begin(add("node 0", 2), 1000, true);
  for (let node = 64; node < 100; node++) commands.begin(add(`node ${node}`), 1000, true);
  const known = Array.from({ length: 100 }, (_, node) => commands.known(add(`node ${node}`)))
    .flatMap((command, node) => command === undefined ? [] : [node]);
  assertEquals(known, [0, ...Array.from({ length: 63 }, (_, n) => n + 37)]);
});
