import { assertEquals } from "@std/assert";
import { BroadcastPeers } from "../../../backplanes/broadcast_channel/peers.ts";
import { Silence } from "../../../backplanes/driver/silence.ts";
import type { Packet, Post, Sign } from "../../../backplanes/broadcast_channel/packet.ts";

const OPENED = 1000;

function post(number: number, previous: number, at: number): Post {
  return { hubplane: 1, kind: "post", from: "peer", number, previous, at, names: [], payloads: [] };
}

function sign(kind: Sign["kind"], number: number, previous: number, at: number): Sign {
  return { hubplane: 1, kind, from: "peer", number, previous, at, interval: 100 };
}

function listen(): BroadcastPeers {
  return new BroadcastPeers(OPENED, 100, new Silence(300, OPENED));
}

/** What is reported for each packet, all arriving at 2000. */
function gaps(...packets: readonly Packet[]): ([since: number, until: number] | undefined)[] {
  const peers = listen();
  return packets.map((packet) => {
    const gap = peers.saw(packet, 2000);
    return gap && [gap.since, gap.until];
  });
}

Deno.test("BroadcastPeers.saw() reports nothing while numbers follow each other", () => {
  const packets = [post(1, 0, 1100), post(2, 1101, 1200), sign("beat", 2, 1201, 1300)];
  assertEquals(gaps(...packets, post(3, 1201, 1400), sign("bye", 3, 1401, 1500)), [
    ...[undefined, undefined, undefined, undefined, undefined],
  ]);
});

Deno.test("BroadcastPeers.saw() reports a hole from the last packet to the last lost post", () => {
  assertEquals(gaps(post(1, 0, 1100), post(4, 1301, 1400)), [undefined, [1100, 1301]]);
  for (const kind of ["beat", "bye", "hello"] as const) {
    assertEquals(gaps(post(1, 0, 1100), sign(kind, 4, 1301, 1400)), [undefined, [1100, 1301]]);
  }
});

Deno.test("BroadcastPeers.saw() reports a hole once", () => {
  const packets = [post(1, 0, 1100), sign("beat", 4, 1301, 1400), post(5, 1301, 1500)];
  assertEquals(gaps(...packets), [undefined, [1100, 1301], undefined]);
});

Deno.test("BroadcastPeers.saw() takes a new peer to owe what it posted since the opening", () => {
  assertEquals(gaps(post(9, OPENED - 1, 1100)), [undefined]);
  assertEquals(gaps(post(9, OPENED, 1100)), [undefined]);
  assertEquals(gaps(post(9, OPENED + 1, 1100)), [[OPENED, OPENED + 1]]);
  assertEquals(gaps(sign("beat", 9, OPENED + 1, 1100)), [[OPENED, OPENED + 1]]);
  assertEquals(gaps(sign("hello", 0, 0, 1100)), [undefined]);
});

Deno.test("BroadcastPeers.saw() reports a gap whose ends are in order when times of threads differ", () => {
  assertEquals(gaps(post(1, 0, 1500), post(4, 1200, 1250)), [undefined, [1200, 1500]]);
});

Deno.test("BroadcastPeers.knows() tells posts that arrive again", () => {
  const peers = listen();
  assertEquals(peers.knows(post(3, 900, 1100)), false);
  peers.saw(post(3, 900, 1100), 1100);
  assertEquals(peers.knows(post(3, 900, 1100)), true);
  assertEquals(peers.knows(post(4, 900, 1100)), false);
  assertEquals(peers.knows(sign("beat", 3, 900, 1100)), false);
});

Deno.test("BroadcastPeers.silent() reports peers once that gave no sign in time, in one gap", () => {
  const peers = listen();
  peers.saw(sign("beat", 0, 0, 1090), 1100);
  peers.saw({ ...sign("beat", 0, 0, 1080), from: "other" }, 1100);
  assertEquals(peers.silent(1250, 50), undefined);
  assertEquals(peers.silent(1251, 50), { since: 1080, until: 1251 });
  for (let now = 1300; now < 2000; now += 100) assertEquals(peers.silent(now, 50), undefined);
});

Deno.test("BroadcastPeers.silent() does not report a peer that said goodbye", () => {
  const peers = listen();
  peers.saw(sign("beat", 0, 0, 1090), 1100);
  peers.saw(sign("bye", 0, 0, 1190), 1200);
  for (let now = 1200; now < 2000; now += 100) assertEquals(peers.silent(now, 50), undefined);
});

Deno.test("BroadcastPeers.silent() counts silence anew after this instance stood still", () => {
  const peers = listen();
  peers.saw(sign("beat", 0, 0, 1090), 1100);
  assertEquals(peers.silent(5000, 50), undefined);
  assertEquals(peers.silent(5150, 50), undefined);
  assertEquals(peers.silent(5151, 50), { since: 1090, until: 5151 });
});
