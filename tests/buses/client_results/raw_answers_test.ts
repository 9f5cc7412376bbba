import { assert, assertEquals } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { readCompletion } from "../../../hub/bus/envelope.ts";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import type { HubMessage } from "../../../hub/protocol/messages.ts";
import type { HubProtocol } from "../../../hub/protocol/protocol.ts";
import type { TextOrBytes } from "../../../hub/protocol/frame.ts";
import type { RunningNode } from "../../kit/running_node.ts";
import { hex, unhex } from "../../kit/hex.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import type { Host } from "../../kit/servers/hosts.ts";
import { Opcode, RawSocket } from "../../kit/socket.ts";
import { ask, type askingHub, outcome, startNode } from "./asking.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

const PROTOCOLS: readonly HubProtocol[] = [jsonProtocol, messagepackProtocol];

/** A client that answers by hand. */
class RawClient implements Disposable {
  readonly #socket: RawSocket;
  readonly #protocol: HubProtocol;
  readonly id: string;

  private constructor(socket: RawSocket, protocol: HubProtocol, id: string) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.id = id;
  }

  static async connect(
    node: RunningNode<{ readonly "/hub": typeof askingHub }>,
    protocol: HubProtocol,
  ): Promise<RawClient> {
    const negotiated = await fetch(node.url("/hub/negotiate?negotiateVersion=1"), {
      method: "POST",
    });
    const { connectionId, connectionToken } = await negotiated.json();
    const path = `/hub?id=${connectionToken}`;
    const socket = await RawSocket.connect(node.port, path, protocol.name);
    const client = new RawClient(socket, protocol, connectionId);
    await client.#send(
      protocol.write({ type: 1, invocationId: "1", target: "echo", arguments: [0] }),
    );
    assertEquals((await client.receive()).type, 3);
    return client;
  }

  /** The next message. */
  async receive(): Promise<HubMessage> {
    const reader = this.#protocol.reader(null);
    reader.push((await this.#socket.receive()).payload);
    const record = reader.read();
    const message = record === undefined ? undefined : this.#protocol.parse(record);
    assert(message !== undefined);
    return message;
  }

  /** Answers the question that comes next with a record that has its id in it. */
  async answer(record: (id: string) => TextOrBytes): Promise<TextOrBytes> {
    const question = await this.receive();
    assert(question.type === 1 && question.invocationId !== undefined);
    const answer = record(question.invocationId);
    await this.#send(this.#protocol.frame(answer));
    return answer;
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  async #send(frame: TextOrBytes): Promise<void> {
    if (typeof frame === "string") await this.#socket.sendText(frame);
    else await this.#socket.send(Opcode.Binary, frame);
  }
}

/** Two nodes on one bus; what the second publishes is kept. */
async function startPair(host: Host) {
  const bus = new MemoryBus();
  const backplane = new RecordingBackplane(bus);
  const [one, two] = [
    await startNode(new MemoryBackplane(bus), host),
    await startNode(backplane, host),
  ];
  return {
    one,
    two,
    published: backplane.published,
    async [Symbol.asyncDispose]() {
      for (const node of [one, two]) await node[Symbol.asyncDispose]();
    },
  };
}

/** A completion of kind 3 in MessagePack, with `headers` and the hex digits of its value. */
function packed(value: string, headers = "80") {
  return (id: string) => {
    const text = new TextEncoder().encode(id);
    return unhex(
      `9503${headers}d9${text.length.toString(16).padStart(2, "0")}${hex(text)}03${value}`,
    );
  };
}

/** What clients may answer in MessagePack, and how the call ends. */
const PACKED: readonly (readonly [value: string, ending: unknown])[] = [
  ["05", { value: 5 }],
  ["cf1000000000000000", { value: 2n ** 60n }],
  ["d3ffdfffffffffffff", { value: -(2n ** 53n) - 1n }],
  ["cb7ff8000000000000", { value: NaN }],
  ["d7ffa1a5d600695735a5", { value: new Date("2026-01-02T03:04:05.678Z") }],
  ["c403010203", { value: new Uint8Array([1, 2, 3]) }],
  ["d40501", "HubError: Error trying to deserialize result."],
  ["81a95f5f70726f746f5f5f01", "HubError: Error trying to deserialize result."],
  ["91".repeat(100) + "90", "HubError: Error trying to deserialize result."],
];

onEachServer(
  "invoke() gives what a MessagePack client answers, the same from every node",
  async (_serve, host) => {
    await using pair = await startPair(host);
    for (const node of [pair.one, pair.two]) {
      using client = await RawClient.connect(pair.two, messagepackProtocol);
      for (const [value, ending] of PACKED) {
        const result = outcome(ask(node, client.id, 1));
        await client.answer(packed(value));
        assertEquals(await result, ending, value);
      }
    }
  },
).forEach((test) => Deno.test(test));

/** Records that change when they are read and written again. */
const UNUSUAL: Readonly<Record<string, readonly ((id: string) => TextOrBytes)[]>> = {
  json: [
    (id) => `{"result":9007199254740993,"type":3,"invocationId":"${id}"}`,
    (id) => `{"type":3,"invocationId":"${id}","result":1.50,"more":[{}]}`,
    (id) => `{"type":3,"headers":{"trace":"1"},"invocationId":"${id}","result":"\\u00e9"} `,
    (id) => `{"type":3,"invocationId":"${id}","error":"\\u0041"}`,
    (id) => `{"type":3,"invocationId":"${id}"}`,
  ],
  messagepack: [
    packed("ca3fc00000"),
    packed("cf1000000000000000"),
    packed("d40501"),
    packed("d200000001", "81a174a178"),
    packed("cd0001"),
  ],
};

for (const protocol of PROTOCOLS) {
  onEachServer(
    `a client's answer goes to another node as the client has written it (${protocol.name})`,
    async (_serve, host) => {
      await using pair = await startPair(host);
      using client = await RawClient.connect(pair.two, protocol);
      for (const record of UNUSUAL[protocol.name] ?? []) {
        const result = outcome(ask(pair.one, client.id, 1));
        const answer = await client.answer(record);
        await result;
        const { channel, payload } = pair.published.at(-1) ??
          { channel: "", payload: new Uint8Array() };
        assert(/^hub:internal:return:deno_[0-9a-f]{32}$/.test(channel), channel);
        const { protocol: name, frame } = readCompletion(payload);
        const expected = protocol.frame(answer);
        const bytes = typeof expected === "string" ? new TextEncoder().encode(expected) : expected;
        assertEquals([name, hex(frame)], [protocol.name, hex(bytes)]);
      }
    },
  ).forEach((test) => Deno.test(test));
}
