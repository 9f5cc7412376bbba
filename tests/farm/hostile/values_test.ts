import { assertEquals } from "@std/assert";
import { figure } from "./figures.ts";
import { HubPeer } from "../../kit/hub_peer.ts";
import { JSON_ROWS } from "./json_rows.ts";
import { type MeasuredNode, onEachNode } from "./measured_node.ts";
import { MESSAGEPACK_ROWS } from "./messagepack_rows.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";
import { notInvoked, type Row, tryRow } from "./rows.ts";
import {
  type Answer,
  frameOf,
  PROTOCOL_NAMES,
  type ProtocolName,
  type Written,
} from "../../kit/wire_format.ts";
import { Witness } from "./witness.ts";

const ROWS: Readonly<Record<ProtocolName, readonly Row[]>> = {
  json: JSON_ROWS,
  messagepack: MESSAGEPACK_ROWS,
};
const DETAILED = { detailedErrors: true };

for (const protocol of PROTOCOL_NAMES) {
  onEachNode(
    `huge lengths, depths, counts and odd names in ${protocol} are answered as documented`,
    async (node) => {
      await using witness = await Witness.start(node);
      const round = async () => {
        for (const [index, row] of ROWS[protocol].entries()) {
          await tryRow(node.port, protocol, row);
          if (index % 10 === 0) await witness.served();
        }
      };
      await round();
      await witness.alone();
      const before = await witness.liveMiB();
      for (let rounds = 0; rounds < 5; rounds++) await round();
      await witness.alone();
      // What the first round left is code and tables; no further round adds to it.
      const grown = await witness.backTo(before, 8);
      figure(
        `${ROWS[protocol].length} rows in ${protocol}, six times; ${grown.toFixed(2)} MiB stay`,
      );
      assertEquals(await witness.connection.invoke("polluted"), []);
    },
    DETAILED,
  ).forEach((test) => Deno.test(test));
}

onEachNode("frames of the other format are read by their bytes", async (node) => {
  await using _witness = await Witness.start(node);
  const json = frameOf("json", { type: 1, invocationId: "1", target: "inspect", arguments: [1] });
  const packed = frameOf("messagepack", { type: 6 });
  // JSON in binary frames is JSON.
  const answers = [{ type: 3, invocationId: "1", result: "1" }];
  await tryRow(node.port, "json", { name: "JSON as bytes", bytes: json, answers });
  const syntax = "InvalidDataException: Error reading JSON.";
  const bytes = new Uint8Array([...packed, 0x1e]);
  await tryRow(node.port, "json", { name: "MessagePack for JSON", bytes, closed: syntax });
  // In text frames MessagePack would be no UTF-8; JSON is, and its first byte is a length.
  using peer = await HubPeer.open(node.port, "messagepack");
  await peer.socket.send(Opcode.Text, new Uint8Array([...json, ...json, ...json]));
  assertEquals(await peer.rest(), []);
  const error = "Connection closed with an error. MessagePackSerializationException: Unexpected " +
    "record: it is not an array.";
  assertEquals(peer.end, { close: { type: 7, error, allowReconnect: true }, code: 1000 });
  // Text that is no UTF-8 is an offence against WebSockets themselves.
  using socket = await RawSocket.shakeHands(node.port, "messagepack");
  await socket.next();
  await socket.send(Opcode.Text, packed);
  await endOf(socket);
}, DETAILED).forEach((test) => Deno.test(test));

/** Reads to the close frame: `listen()` waits 5 s for the answer to that frame. */
async function endOf(socket: RawSocket): Promise<void> {
  while (((await socket.next())?.opcode ?? Opcode.Close) !== Opcode.Close);
}

for (const protocol of PROTOCOL_NAMES) {
  onEachNode(
    `groups and users may have any name in ${protocol}, and no name reaches another`,
    async (node) => {
      await using _witness = await Witness.start(node);
      const names = ["__proto__", "constructor", "toString", "*", "a:b", "\0", "x".repeat(256)];
      for (const name of names) {
        const query = `?user=${encodeURIComponent(name)}`;
        using peer = await HubPeer.open(node.port, protocol, { query });
        using other = await HubPeer.open(node.port, protocol, { query: "?user=other" });
        const told = { type: 1, target: "text", arguments: [0, name] };
        assertEquals(await invoke(peer, "who"), name);
        assertEquals(await invoke(other, "join", "other"), null);
        assertEquals(await invoke(peer, "join", name), null);
        await tell(other, "tell", name);
        assertEquals(await peer.next(), told);
        await tell(other, "tellUser", name);
        assertEquals(await peer.next(), told);
        assertEquals(await invoke(peer, "leave", name), null);
        await tell(other, "tell", name);
        // The next that comes to either is its own answer.
        assertEquals(await invoke(peer, "echo", 1), 1);
        assertEquals(await invoke(other, "echo", 2), 2);
      }
      using peer = await HubPeer.open(node.port, protocol);
      for (const name of ["", "x".repeat(257), "x".repeat(30_000), 1, null, {}, ["a"]]) {
        assertEquals(await invoke(peer, "join", name), "HubException");
      }
    },
  ).forEach((test) => Deno.test(test));
}

async function invoke(peer: HubPeer, target: string, ...args: unknown[]): Promise<unknown> {
  await peer.send(frameOf(peer.protocol, { type: 1, invocationId: "1", target, arguments: args }));
  const answer = await peer.next();
  return answer?.error === undefined ? answer?.result : /HubException/.exec(answer.error)?.[0];
}

async function tell(peer: HubPeer, target: string, name: string): Promise<void> {
  assertEquals(await invoke(peer, target, name, name), null);
}

/** What has a megabyte of text somewhere, and what is said to it. */
function megabytes(): Readonly<Record<string, readonly [Written, Answer | undefined]>> {
  const large = "é".repeat(500_000);
  const call = { type: 1, invocationId: "1", target: "inspect", arguments: [0] };
  const error = notInvoked("1", large, "HubException: Method does not exist.");
  const inspected = { type: 3, invocationId: "1", result: "0" };
  return {
    "a method's name": [{ ...call, target: large, arguments: [] }, error],
    "an id": [{ ...call, invocationId: large }, { ...inspected, invocationId: large }],
    "a header's name": [{ ...call, headers: { [large]: "x" } }, inspected],
    "a header": [{ ...call, headers: { x: large } }, inspected],
    "an argument": [{ ...call, arguments: [large] }, { ...inspected, result: `"${large}"` }],
    "an argument's member": [
      { ...call, arguments: [{ [large]: 0 }] },
      { ...inspected, result: `{"${large}": 0}` },
    ],
    "the id of no upload": [{ type: 2, invocationId: large, item: 0 }, undefined],
    "the id of no stream": [{ type: 5, invocationId: large }, undefined],
  };
}

for (const protocol of PROTOCOL_NAMES) {
  onEachNode(
    `a megabyte in any place of a message is answered in ${protocol} where messages may be as large`,
    async (node: MeasuredNode) => {
      await using witness = await Witness.start(node);
      for (const [name, [message, answer]] of Object.entries(megabytes())) {
        const answers = answer === undefined ? [] : [answer];
        await tryRow(node.port, protocol, { name, bytes: frameOf(protocol, message), answers });
        await witness.served();
      }
    },
    { ...DETAILED, maximumReceiveMessageSize: 2 ** 21, maximumBufferedBytes: 2 ** 22 },
  ).forEach((test) => Deno.test(test));
}
