import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { StatusSource } from "../../../backplanes/driver/status.ts";
import { KeptLog } from "../../kit/log.ts";

Deno.test("StatusSource.emit() logs the first error of each outage, and the end of the outage", () => {
  const log = new KeptLog();
  const source = new StatusSource("connecting", log, "the bus");
  const error = (text: string) => new Error(text);
  source.emit({ status: "connecting", error: error("first") });
  source.emit({ status: "connecting", error: error("second") });
  source.emit({ status: "open" });
  source.emit({ status: "open", gap: { since: 1, until: 2 } });
  source.emit({ status: "reconnecting", error: error("third") });
  source.emit({ status: "reconnecting" });
  source.emit({ status: "open" });
  source.emit({ status: "closed", error: error("the end") });
  source.emit({ status: "open", error: error("too late") });
  assertEquals(log.lines, [
    "error first; trying again",
    "warn Reached the bus: the backplane is open",
    "error third; trying again",
    "warn Reached the bus: the backplane is open",
    "error the end",
  ]);
});

Deno.test("StatusSource.emit() logs nothing of a bus that is there, and of a backplane that is closed", () => {
  const log = new KeptLog();
  const source = new StatusSource("connecting", log);
  source.emit({ status: "open" });
  source.emit({ status: "closed" });
  assertEquals(log.lines, []);
});

Deno.test("StatusSource.emit() logs a listener that throws, and one whose promise rejects", async () => {
  const log = new KeptLog();
  const source = new StatusSource("open", log);
  const heard: string[] = [];
  source.onStatus(() => {
    throw new Error("thrown");
  });
  source.onStatus(() => Promise.reject(new Error("rejected")));
  source.onStatus(({ status }) => void heard.push(status));
  source.emit({ status: "closed" });
  // A rejection that nobody caught would end the test by now.
  await delay(0);
  assertEquals(heard, ["closed"]);
  assertEquals(log.lines, [
    "error Backplane status listener failed: Error: thrown",
    "error Backplane status listener failed: Error: rejected",
  ]);
});
