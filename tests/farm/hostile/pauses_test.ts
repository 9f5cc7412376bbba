/**
 * Nodes that are slow themselves, or stand still: healthy clients must not pay for that, and what
 * others do meanwhile must not cost more than at other times.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import type { HubServerOptions } from "@hubplane/hubplane";
import { call } from "../../kit/messages.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";
import { sized } from "../../kit/sizes.ts";
import { flooding, numbered } from "./amounts/amount.ts";
import { Attacker } from "./amounts/attacker.ts";
import { type MeasuredNode, onEachNode } from "./measured_node.ts";

/** Clients that ping as an official client does, and the most silence that the node allows them. */
const CLIENTS = 30;
const PING_INTERVAL = 400;
const TIMEOUT = 3000;

/** A pause longer than what a client may be silent. */
const PAUSE = sized(3500, 10_000);

const OPTIONS: HubServerOptions = {
  keepAliveInterval: 500,
  clientTimeoutInterval: TIMEOUT,
  disconnectTimeout: 3000,
  transportSendTimeout: TIMEOUT,
};

/** How a node stands still. */
const PAUSES: Readonly<Record<string, (node: MeasuredNode) => Promise<void>>> = {
  async "stopped in its tracks"(node) {
    node.signal("SIGSTOP");
    await delay(PAUSE);
    node.signal("SIGCONT");
  },
  async "stopped for less than a client may be silent"(node) {
    node.signal("SIGSTOP");
    await delay(TIMEOUT - PING_INTERVAL / 2);
    node.signal("SIGCONT");
  },
  async "busy with a method"(node) {
    using caller = await RawSocket.connect(node.port, "/hub");
    await caller.sendText(`${JSON.stringify(call("1", "block", PAUSE))}\x1e`);
    await delay(PAUSE);
    await caller.sendClose(1000);
  },
};

/** A healthy client; resolves with what ended its connection, or `undefined` if nothing did. */
async function healthy(port: number, signal: AbortSignal): Promise<string | undefined> {
  using socket = await RawSocket.connect(port, "/hub");
  const reading = (async () => {
    for (let frame; (frame = await socket.next()) !== undefined;) {
      const text = new TextDecoder().decode(frame.payload);
      if (text.includes('{"type":7')) return text;
      if (text.includes('"invocationId":"last"')) return undefined;
      if (frame.opcode === Opcode.Close) return "a close frame";
    }
    return "the end of the connection";
  })();
  while (!signal.aborted) {
    await socket.sendText('{"type":6}\x1e').catch(() => {});
    await delay(PING_INTERVAL, { signal }).catch(() => {});
  }
  await socket.sendText(`${JSON.stringify(call("last", "echo", 1))}\x1e`).catch(() => {});
  return await reading;
}

onEachNode(
  "healthy clients outlive a node that stands still, while others flood it",
  async (node) => {
    const ended = new AbortController();
    const clients = Array.from({ length: CLIENTS }, () => healthy(node.port, ended.signal));
    await using attacker = new Attacker({
      ...{ port: node.port, far: node.port, redis: 0, prefix: "", number: 0, way: "RST" },
      signal: ended.signal,
    }, 2 ** 22);
    const attack = flooding(() => numbered(200, (number) => call(`${number}`, "echo", number)));
    await delay(PING_INTERVAL);
    const attacking = attack(attacker);
    // It is awaited below.
    attacking.catch(() => {});
    for (const pause of Object.values(PAUSES)) {
      await pause(node);
      // The deadlines are looked at once a second.
      await delay(1500);
    }
    ended.abort();
    await attacking;
    assertEquals(await Promise.all(clients), new Array(CLIENTS).fill(undefined));
  },
  OPTIONS,
).forEach((test) => Deno.test(test));
