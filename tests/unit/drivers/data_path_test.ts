import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { delay } from "@std/async";
import { DataPath } from "../../../backplanes/driver/data_path.ts";
import type { Moment } from "../../../backplanes/driver/moment.ts";
import { BackplaneError, BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { Events } from "../../kit/wait.ts";

/** A path whose bus a test breaks; `events` has every event by its name. */
function openPath(publish?: (payload: Uint8Array) => Promise<unknown>) {
  const events = new Events<string>();
  const losses: { error: Error; since: Moment }[] = [];
  const path: DataPath = new DataPath(
    { probeInterval: 2, probeTimeout: 20 },
    publish ?? ((payload) => Promise.resolve(path.heard(payload))),
    {
      verified: () => events.add("verified"),
      refused: (error) => events.add(`refused: ${error.message}`),
      lost: (error, since) => {
        losses.push({ error, since });
        events.add("lost");
      },
    },
  );
  path.begin();
  return { path, events, losses };
}

Deno.test("DataPath is verified when its message has come back, and goes on probing", async () => {
  let published = 0;
  const { path, events } = openPath((payload) => {
    published++;
    return Promise.resolve(path.heard(payload));
  });
  assertEquals([path.verified, path.roundTrip], [false, undefined]);
  path.start();
  await events.find((event) => event === "verified");
  assertEquals(path.verified, true);
  while (published < 3) await delay(1);
  assertEquals(events.all, ["verified"]);
  assert((path.roundTrip ?? -1) >= 0);
  path.stop();
  assertEquals(path.verified, false);
});

Deno.test("DataPath is lost when a message does not come back, from the last one that did", async () => {
  let broken = false;
  let last = 0;
  const { path, events, losses } = openPath((payload) => {
    if (!broken) {
      last = performance.now();
      path.heard(payload);
    }
    // The bus accepts every message.
    return Promise.resolve(1);
  });
  path.start();
  await events.find((event) => event === "verified");
  broken = true;
  const from = last;
  await events.find((event) => event === "lost");
  const [loss] = losses;
  assertInstanceOf(loss?.error, BackplaneUnavailableError);
  assert(loss.error.message.includes("does not hear what the publishing connection publishes"));
  assert(loss.since.steady <= from, `${loss.since.steady} is after ${from}`);
  assertEquals(path.verified, false);
  // The driver says when to begin again.
  await delay(50);
  assertEquals(events.all, ["verified", "lost"]);
});

Deno.test("DataPath takes no other message for its own", async () => {
  const { path, events } = openPath(() => {
    path.heard(new Uint8Array(4));
    path.heard(new Uint8Array());
    path.heard(new Uint8Array(9));
    return Promise.resolve(1);
  });
  path.start();
  assertEquals(await events.next(), "lost");
});

Deno.test("DataPath counts as verified, without probes, when the bus refuses its messages", async () => {
  let published = 0;
  const { path, events } = openPath(() => {
    published++;
    return Promise.reject(new BackplaneError("NOPERM"));
  });
  path.start();
  await events.find((event) => event === "verified");
  await delay(40);
  assertEquals([published, events.all], [1, ["refused: NOPERM", "verified"]]);
});

Deno.test("DataPath leaves a publish that fails with its connection to the driver", async () => {
  const { path, events } = openPath(() => {
    path.stop();
    return Promise.reject(new BackplaneUnavailableError("lost"));
  });
  path.start();
  await delay(50);
  assertEquals(events.all, []);
});
