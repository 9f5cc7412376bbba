import { assert, assertEquals } from "@std/assert";
import { until } from "../../kit/wait.ts";
import { hex, unhex } from "../../kit/hex.ts";
import { Placeholders } from "./placeholders.ts";
import { rawFetch, type RawRequest, type RawResponse } from "../../kit/http.ts";
import { closeStatus, Opcode, RawSocket } from "../../kit/socket.ts";
import { frameRecords, packedBytes, stepRecords, typeOf, type WireRecord } from "./records.ts";
import type { ReceiveStep, SendStep, Step, Transcript } from "./transcripts.ts";
import type { WireNode } from "./wire_node.ts";

const SERVER_INVOCATION = "{serverInvocationId}";
/** What a MessagePack client is answered to its handshake. */
const BINARY_HANDSHAKE = "7b7d1e";

/** The headers of an answer that are about the contract. */
export const COMPARED_HEADERS: readonly string[] = [
  ...["content-type", "cache-control", "pragma", "expires"],
  ...["origin", "credentials", "methods", "headers"].map((name) => `access-control-allow-${name}`),
];

/** Does what the client of a transcript did, and compares what the server answers. */
export class Replay implements Disposable {
  readonly #node: WireNode;
  readonly #sockets = new Map<string, RawSocket>();
  /** The labels of those that either side has closed. */
  readonly #closed = new Set<string>();
  /** Records of a frame that are not compared yet: servers may join or split. */
  readonly #records = new Map<string, WireRecord[]>();
  readonly #placeholders = new Placeholders();
  #response: RawResponse | undefined;
  #lateItems = false;
  /** Whether the transcript has acknowledgements; elsewhere none may come. */
  #acknowledges = false;
  /** The last number that the server has acknowledged, on whatever socket. */
  #acknowledged = 0;
  /** Where the negotiated connection is, to ask whether the server still knows it. */
  #place: string | undefined;

  constructor(node: WireNode) {
    this.#node = node;
  }

  /** Runs `steps` of a transcript. */
  async run({ name, note, protocol }: Transcript, steps: readonly Step[]): Promise<void> {
    // A cancelled stream may send a little more before it ends.
    this.#lateItems = /cancel/.test(name);
    this.#acknowledges = steps.some(({ receive: { text = "", hex = "" } = {} }) =>
      text.includes('"type":8') || hex.startsWith("039208")
    );
    const numbered = /each numbered socket|every other case closes/.test(note);
    for (const [at, { setup, wait, send, receive }] of steps.entries()) {
      if (setup !== undefined) await this.#setUp(setup, protocol);
      if (wait !== undefined) await this.#forgotten();
      // What is over, the server forgets a turn or two later.
      if (steps[at + 1]?.receive?.status === 404) await this.#forgotten();
      const label = (send ?? receive)?.label ?? "";
      if (numbered && send !== undefined && label !== "") {
        this.#sockets.set(label, await this.#connect("/detailed", protocol));
      }
      if (send !== undefined) await this.#send(send, label);
      if (receive === undefined) continue;
      await this.#receive(receive, label);
      if (numbered && label !== "" && this.#endsIn(receive)) {
        await this.#receiveClose({ closeCode: 1000, reason: "" }, label);
      }
    }
    // Nothing must be left over, nor under way.
    for (const [label, records] of this.#records) assertEquals(records, [], label);
    for (const [label, socket] of this.#sockets) {
      if (!this.#closed.has(label)) await this.#isSilent(socket, label);
    }
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets.values()) socket[Symbol.dispose]();
  }

  async #setUp(setup: string, protocol: string): Promise<void> {
    const [, posted, names] = /^POST (\S+) gave (.*)$/.exec(setup) ?? [];
    if (posted !== undefined && names !== undefined) {
      const { body } = await this.#fetch({ method: "POST", path: posted });
      return this.#placeholders.take(names, body);
    }
    const [, path, version, label = ""] =
      /^WebSocket to (\S+), handshake .*:(\d)\} answered \{\}(?:; called (.*))?$/.exec(setup) ?? [];
    if (path === undefined) throw new Error(`Cannot replay setup: ${setup}`);
    this.#placeholders.forget(SERVER_INVOCATION);
    this.#sockets.get(label)?.[Symbol.dispose]();
    const place = await this.#identified(path, label);
    if (place.includes("?id=")) this.#place = place;
    const socket = await this.#connect(place, protocol, Number(version));
    this.#sockets.set(label, socket);
    this.#closed.delete(label);
  }

  async #fetch(request: RawRequest): Promise<RawResponse> {
    return await rawFetch(await this.#node.portOf(request.path), request);
  }

  async #connect(path: string, protocol: string, version?: number): Promise<RawSocket> {
    return await RawSocket.connect(await this.#node.portOf(path), path, protocol, version);
  }

  /** A socket that is called by a letter is asked about by its connection id: negotiates to know it. */
  async #identified(path: string, label: string): Promise<string> {
    if (!/^[A-Z]$/.test(label)) return this.#placeholders.fill(path);
    const negotiate = `${path}/negotiate?negotiateVersion=1`;
    const { body } = await this.#fetch({ method: "POST", path: negotiate });
    const { connectionId, connectionToken } = JSON.parse(body);
    this.#placeholders.set(`{connectionId${label}}`, connectionId);
    return `${path}?id=${connectionToken}`;
  }

  /** Resolves when the server knows the negotiated connection no more. */
  async #forgotten(): Promise<void> {
    const path = this.#place;
    if (path === undefined) return;
    await until(async () => (await this.#fetch({ method: "POST", path })).status === 404);
  }

  async #send(step: SendStep, label: string): Promise<void> {
    const path = this.#placeholders.fill(step.path ?? "");
    if (step.upgrade !== undefined) {
      const port = await this.#node.portOf(path);
      const { response, socket } = await RawSocket.request(port, path, step.headers);
      this.#response = response;
      if (socket === undefined) return;
      this.#sockets.set(label, socket);
      this.#closed.delete(label);
    } else if (step.method !== undefined) {
      const { method, headers, body } = step;
      this.#response = await this.#fetch({ method, path, headers, body });
    } else if (step.opcode === Opcode.Close) {
      await this.#socket(label).sendClose(step.closeCode, step.reason);
      this.#closed.add(label);
    } else if (step.tcp !== undefined) {
      const late = await this.#socket(label).cut();
      this.#closed.add(label);
      for (const record of late.flatMap(frameRecords)) this.#noteAck(record);
    } else {
      await this.#socket(label).send(step.opcode ?? Opcode.Text, this.#payload(step));
    }
  }

  #payload({ text = "", hex, packed }: SendStep): Uint8Array {
    if (hex !== undefined) return unhex(hex);
    const filled = this.#placeholders.fill(packed === undefined ? text : JSON.stringify(packed));
    return packed === undefined
      ? new TextEncoder().encode(filled)
      : packedBytes(JSON.parse(filled));
  }

  async #receive(step: ReceiveStep, label: string): Promise<void> {
    if (step.status !== undefined) return this.#compareResponse(step);
    if (step.opcode === Opcode.Close) return await this.#receiveClose(step, label);
    if (step.hex === BINARY_HANDSHAKE) {
      const { opcode, payload } = await this.#socket(label).receive();
      return assertEquals([opcode, hex(payload)], [step.opcode, step.hex]);
    }
    const filled = step.text === undefined
      ? step
      : { ...step, text: this.#placeholders.fill(step.text) };
    for (const record of stepRecords(filled)) {
      if (typeOf(record) === 8) {
        await this.#receiveAck(record, label);
        continue;
      }
      let actual = await this.#record(label);
      while (this.#mayPrecede(actual, record)) actual = await this.#record(label);
      assertEquals(actual, this.#captured(record, actual));
      // Members are in upstream's order too.
      assertEquals(Object.keys(actual), Object.keys(record));
    }
  }

  /** It comes once a second, before what it follows in the transcript or after, and perhaps in two. */
  async #receiveAck(expected: WireRecord, label: string): Promise<void> {
    while (this.#acknowledged < sequenceOf(expected)) {
      const actual = await this.#record(label);
      if (typeOf(actual) === 6) continue;
      assertEquals(typeOf(actual), 8);
      this.#noteAck(actual);
    }
    assertEquals(this.#acknowledged, sequenceOf(expected));
  }

  /** Whether it is an acknowledgement. */
  #noteAck(record: WireRecord): boolean {
    if (typeOf(record) !== 8 || !this.#acknowledges) return false;
    this.#acknowledged = sequenceOf(record);
    return true;
  }

  /** How many pings, acknowledgements or late items come before something else is a matter of timing. */
  #mayPrecede(actual: WireRecord, expected: WireRecord): boolean {
    if (this.#noteAck(actual)) return true;
    if (typeOf(actual) === 6) return typeOf(expected) !== 6;
    return this.#lateItems && typeOf(actual) === 2 && typeOf(expected) === 3;
  }

  /** Everything that was written before the answer to a ping of the socket has come by then. */
  async #isSilent(socket: RawSocket, label: string): Promise<void> {
    await socket.send(Opcode.Ping, new Uint8Array());
    for (;;) {
      const frame = await socket.receive();
      if (frame.opcode === Opcode.Pong) return;
      const records = frameRecords(frame).filter((record) => {
        return typeOf(record) !== 6 && !this.#noteAck(record);
      });
      assertEquals(records, [], `nothing more on ${label}`);
    }
  }

  /** Whether a step is the last of its connection. */
  #endsIn(step: ReceiveStep): boolean {
    return stepRecords(step).some((record) => typeOf(record) === 7);
  }

  #compareResponse(step: ReceiveStep): void {
    const response = this.#response;
    assert(response !== undefined, "no request was sent");
    assertEquals(response.status, step.status);
    for (const name of COMPARED_HEADERS) {
      assertEquals(response.headers[name], step.headers?.[name], name);
    }
    const body = step.body ?? "";
    if (step.headers?.["content-type"] === "application/json") {
      this.#placeholders.compare(response.body, body);
    } else assertEquals(response.body, body);
  }

  async #receiveClose(step: ReceiveStep, label: string): Promise<void> {
    const records = this.#records.get(label);
    assertEquals(records ?? [], [], "records before the close frame");
    const frame = await this.#socket(label).receive();
    assertEquals(frame.opcode, Opcode.Close, new TextDecoder().decode(frame.payload));
    assertEquals(closeStatus(frame), { code: step.closeCode, reason: step.reason });
    this.#closed.add(label);
  }

  async #record(label: string): Promise<WireRecord> {
    const waiting = this.#records.get(label) ?? [];
    if (waiting.length === 0) waiting.push(...frameRecords(await this.#socket(label).receive()));
    this.#records.set(label, waiting);
    const record = waiting.shift();
    if (record === undefined) throw new Error("Unexpected frame: it is empty");
    return record;
  }

  #socket(label: string): RawSocket {
    const socket = this.#sockets.get(label);
    if (socket === undefined) throw new Error(`Cannot find socket: ${label}`);
    return socket;
  }

  /** `expected` with the id that the server has chosen for its question. */
  #captured(expected: WireRecord, actual: WireRecord): WireRecord {
    if (invocationIdOf(expected) !== SERVER_INVOCATION) return expected;
    const id = invocationIdOf(actual);
    assert(typeof id === "string" && id !== "", String(id));
    this.#placeholders.set(SERVER_INVOCATION, id);
    return Array.isArray(expected)
      ? expected.with(2, id)
      : { ...expected as Record<string, unknown>, invocationId: id };
  }
}

function invocationIdOf(record: WireRecord): unknown {
  return Array.isArray(record)
    ? record[2]
    : (record as { readonly invocationId?: unknown }).invocationId;
}

/** The number of an acknowledgement. */
function sequenceOf(record: WireRecord): number {
  return Number(
    Array.isArray(record) ? record[1] : (record as { sequenceId?: unknown }).sequenceId,
  );
}
