import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { Backplane, BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import { StatusSource } from "../../../backplanes/driver/status.ts";
import { BackplaneClosedError } from "../../../backplanes/errors.ts";
import { MemoryBackplane } from "../../../backplanes/memory.ts";
import { Beginning } from "../../../backplanes/several/beginning.ts";
import { SeveralBackplanes } from "../../../backplanes/several.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { KeptLog } from "../../kit/log.ts";
import { bytes } from "../../kit/wait.ts";
import { isPending, TwoBuses } from "./two_buses.ts";

Deno.test("SeveralBackplanes is open while one bus is, and reports a gap only of both", async () => {
  await using two = new TwoBuses();
  const [one, other] = two.buses;
  one.stop();
  one.start();
  await endOfTurn();
  // More nodes may be there.
  assertEquals([two.pair.status, two.told.splice(0)], ["open", ["open"]]);
  one.stop();
  other.stop();
  assertEquals(two.told.splice(0), ["reconnecting"]);
  other.start();
  await endOfTurn();
  assertEquals(two.told.splice(0), ["open+"]);
  one.start();
  await endOfTurn();
  assertEquals(two.told.splice(0), ["open"]);
  assertEquals(two.log.lines, []);
});

Deno.test("SeveralBackplanes reports a gap from the loss of the second bus until the first is back", async () => {
  await using two = new TwoBuses();
  const [one, other] = two.buses;
  one.stop();
  const before = Date.now();
  other.stop();
  const down = Date.now();
  other.start();
  await endOfTurn();
  const up = Date.now();
  const [, { gap } = {}] = two.events;
  const { since = NaN, until = NaN } = gap ?? {};
  // A gap has whole milliseconds, and may begin a little earlier.
  assertEquals(
    [before - 10 <= since, since <= down, down <= until, until <= up],
    Array(4).fill(true),
  );
});

/** A backplane whose status the test sets. */
class ScriptedBackplane extends RecordingBackplane {
  readonly source = new StatusSource("connecting", new KeptLog());
  probe: number | undefined;
  override get status() {
    return this.source.status;
  }
  override onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.source.onStatus(listener);
  }
}

Deno.test("SeveralBackplanes is connecting until each bus is open or known to be away", async () => {
  const [one, other] = [new ScriptedBackplane(), new ScriptedBackplane()];
  await using pair = new SeveralBackplanes([one, other], { logger: new KeptLog() });
  const events: BackplaneStatusEvent[] = [];
  pair.onStatus((event) => events.push(event));
  const { confirmed } = pair.subscribe("news", () => {});
  one.source.emit({ status: "open" });
  assertEquals([pair.status, events], ["connecting", []]);
  assertEquals(await isPending(confirmed), true);
  other.source.emit({ status: "connecting", error: new Error("connection refused") });
  await confirmed;
  other.source.emit({ status: "open" });
  assertEquals(events, [{ status: "open" }, { status: "open" }]);
});

Deno.test("Beginning ends when no bus is awaited any more, or after its patience", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = new Beginning(["open", "connecting"], resolve, 1);
  assertEquals(late.isOver, false);
  await promise;
  assertEquals(late.isOver, true);
  const beginning = new Beginning(["connecting", "connecting"], resolve);
  beginning.heard(0, { status: "connecting" });
  beginning.heard(1, { status: "closed" });
  assertEquals(beginning.isOver, false);
  beginning.heard(0, { status: "open" });
  assertEquals(beginning.isOver, true);
});

Deno.test("SeveralBackplanes goes on without a bus that is closed, and closes with the last", async () => {
  const [one, other] = [new ScriptedBackplane(), new ScriptedBackplane()];
  await using pair = new SeveralBackplanes([one, other], { logger: new KeptLog() });
  const events: BackplaneStatusEvent[] = [];
  pair.onStatus((event) => events.push(event));
  const { confirmed } = pair.subscribe("news", () => {});
  confirmed.catch(() => {});
  one.source.emit({ status: "closed", error: new Error("wrong password") });
  assertEquals(pair.status, "connecting");
  const refused = new Error("no such user");
  other.source.emit({ status: "closed", error: refused });
  assertEquals(events.map(({ status, error }) => [status, error?.message]), [
    ["connecting", "wrong password"],
    ["closed", "no such user"],
  ]);
  const { cause } = await assertRejects(() => confirmed, BackplaneClosedError, "no such user");
  assertStrictEquals(cause, refused);
  await assertRejects(() => pair.publish("news", bytes("?")), BackplaneClosedError, "no such user");
});

Deno.test("SeveralBackplanes.probe is that of the open bus that answers soonest", async () => {
  const [one, other] = [new ScriptedBackplane(), new ScriptedBackplane()];
  await using pair = new SeveralBackplanes([one, other], { logger: new KeptLog() });
  assertEquals(pair.probe, undefined);
  one.probe = 7;
  other.probe = 3;
  assertEquals(pair.probe, 3);
  one.source.emit({ status: "open" });
  assertEquals(pair.probe, 7);
  other.source.emit({ status: "open" });
  assertEquals(pair.probe, 3);
});

Deno.test("SeveralBackplanes refuses one backplane, five, one twice and unknown options", async () => {
  const parts: Backplane[] = Array.from({ length: 5 }, () => new MemoryBackplane());
  const [one] = parts as [Backplane];
  assertThrows(() => new SeveralBackplanes([one]), TypeError, "1 are not 2 to 4");
  assertThrows(() => new SeveralBackplanes(parts), TypeError, "5 are not 2 to 4");
  assertThrows(() => new SeveralBackplanes([one, one]), TypeError, "one is given twice");
  const options = { loger: console } as object;
  assertThrows(() => new SeveralBackplanes(parts.slice(2), options), TypeError, '"loger"');
  for (const part of parts) await part.close();
});
