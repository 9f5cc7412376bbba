import { assertEquals } from "@std/assert";
import { Subscriptions } from "../../../backplanes/nats/subscriptions.ts";

Deno.test("Subscriptions.add() subscribes each channel once, under a number of its own", () => {
  const subscriptions = new Subscriptions("app.");
  assertEquals(subscriptions.add(["a", "b c"]), "SUB app.a 1\r\nSUB app.=YiBj 2\r\n");
  assertEquals(subscriptions.nextSid(), 3);
  assertEquals(subscriptions.add(["a", "d", "b c"]), "SUB app.d 4\r\n");
  assertEquals(
    [1, 2, 3, 4].map((sid) => subscriptions.numbered(sid)?.channel),
    ["a", "b c", undefined, "d"],
  );
});

Deno.test("Subscriptions.remove() ends what is subscribed, and gives a new number later", () => {
  const subscriptions = new Subscriptions("");
  subscriptions.add(["a", "b"]);
  assertEquals(subscriptions.remove(["b", "unknown", "a"]), "UNSUB 2\r\nUNSUB 1\r\n");
  assertEquals(subscriptions.remove(["a"]), "");
  assertEquals([subscriptions.get("a"), subscriptions.numbered(1)], [undefined, undefined]);
  // A message of the old subscription that is still on its way must not count as one of the new.
  assertEquals(subscriptions.add(["a"]), "SUB a 3\r\n");
});

Deno.test("Subscriptions.about() finds the subscription that an error of the server names", () => {
  const subscriptions = new Subscriptions("app.");
  subscriptions.add(["a", "b c"]);
  assertEquals(subscriptions.about("app.=YiBj")?.channel, "b c");
  assertEquals(subscriptions.about("app.b"), undefined);
});
