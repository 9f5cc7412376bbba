import { assertEquals, assertLess } from "@std/assert";
import { costs, Flood } from "./flooding.ts";
import { repeated } from "./repeated.ts";
import { HubPeer } from "../../kit/hub_peer.ts";
import { onEachNode } from "./measured_node.ts";
import { RawSocket } from "../../kit/socket.ts";
import {
  type Answer,
  frameOf,
  joined,
  PROTOCOL_NAMES,
  type ProtocolName,
} from "../../kit/wire_format.ts";
import { Witness } from "./witness.ts";

/** What asks for a reconnect. */
const RECONNECT: Answer = { type: 7, allowReconnect: true };
/** So many calls, a kilobyte each, numbered from 0; the last is answered. */
function* numbered(protocol: ProtocolName, count: number): Generator<Uint8Array> {
  const headers = { x: "x".repeat(1000) };
  for (let number = 0; number < count; number += 32) {
    const calls = Array.from({ length: 32 }, (_, index) => {
      const call = { type: 1, headers, target: "counted", arguments: [number + index] };
      return number + index < count - 1 ? call : { ...call, invocationId: "last" };
    });
    yield joined(...calls.map((call) => frameOf(protocol, call)));
  }
}

/** Items of one upload, a kilobyte each. */
function* items(protocol: ProtocolName, count: number): Generator<Uint8Array> {
  const item = frameOf(protocol, { type: 2, invocationId: "s", item: "x".repeat(1000) });
  const many = repeated(item, 32 * item.length);
  for (let number = 0; number < count; number += 32) yield many;
}

/** 32 MiB: more than the system takes between two processes. */
const CALLS = 2 ** 15;

for (const protocol of PROTOCOL_NAMES) {
  onEachNode(
    `a flood behind a call that takes its time is bounded, or waits in its sender, in ${protocol}`,
    async (node) => {
      await using witness = await Witness.start(node);
      const before = await witness.liveMiB();
      using peer = await HubPeer.open(node.port, protocol);
      await peer.send(frameOf(protocol, { type: 1, target: "wait", arguments: [] }));
      const flood = new Flood(peer.socket, numbered(protocol, CALLS));
      if (node.server === "fetch") {
        assertEquals(await witness.meanwhile(peer.rest()), []);
        assertEquals(peer.end?.close, RECONNECT);
        peer[Symbol.dispose]();
        await flood.done;
      } else {
        await flood.stops(witness);
        assertLess(flood.taken, CALLS * 1000);
        await costs(witness, before, `a flood that waits after ${flood.taken} bytes`);
        // Nothing of it is lost, and it keeps its order.
        await witness.connection.invoke("release");
        assertEquals(await witness.meanwhile(flood.done), true);
        const answer = await witness.meanwhile(peer.next());
        assertEquals(answer, { type: 3, invocationId: "last", result: `${CALLS}` });
        await peer.leave();
      }
      await witness.connection.invoke("release");
      await witness.alone();
    },
  ).forEach((test) => Deno.test(test));

  onEachNode(
    `an upload that nobody reads is bounded, or waits in its sender, in ${protocol}`,
    async (node) => {
      await using witness = await Witness.start(node);
      const before = await witness.liveMiB();
      using peer = await HubPeer.open(node.port, protocol);
      const hold = { type: 1, target: "hold", arguments: [], streamIds: ["s"] };
      await peer.send(frameOf(protocol, hold));
      const flood = new Flood(peer.socket, items(protocol, CALLS));
      if (node.server === "fetch") {
        assertEquals(await witness.meanwhile(peer.rest()), []);
        assertEquals(peer.end?.close, RECONNECT);
      } else {
        await flood.stops(witness);
        assertLess(flood.taken, CALLS * 1000);
        await costs(witness, before, `an upload that waits after ${flood.taken} bytes`);
        assertEquals(await witness.open(), 2);
      }
      peer[Symbol.dispose]();
      // A native socket may have taken all of it by now.
      const whole = await flood.done;
      if (node.server === "listen") assertEquals(whole, false);
      await witness.alone();
    },
    // Nothing is read from it, so that only what is sent shows that it has gone.
    { keepAliveInterval: 500, disconnectTimeout: 2000 },
  ).forEach((test) => Deno.test(test));
}

for (const protocol of PROTOCOL_NAMES) {
  onEachNode(`a peer that asks and never reads is closed, in ${protocol}`, async (node) => {
    await using witness = await Witness.start(node);
    const before = await witness.liveMiB();
    using socket = await RawSocket.shakeHands(node.port, protocol);
    await socket.next();
    const echo = frameOf(protocol, {
      type: 1,
      invocationId: "1",
      target: "echo",
      arguments: ["x".repeat(30_000)],
    });
    // 30 MiB to be answered, against a limit of 1 MiB and what the system takes.
    const flood = new Flood(socket, Array.from({ length: 1000 }, () => echo));
    await witness.alone();
    socket[Symbol.dispose]();
    // What is left may never have been taken.
    await flood.done;
    await costs(witness, before, "a peer that never reads");
    // Its calls wait for it, so that nothing more is sent to it.
  }, { transportSendTimeout: 1000 }).forEach((test) => Deno.test(test));
}
