import { assert, assertEquals } from "@std/assert";
import { hex, unhex } from "../protocol/hex.ts";
import { Placeholders } from "./placeholders.ts";
import { rawFetch, type RawResponse } from "./raw_http.ts";
import { closeStatus, Opcode, RawWebSocket } from "./raw_websocket.ts";
import { frameRecords, stepRecords, typeOf, type WireRecord } from "./records.ts";
import type { ReceiveStep, SendStep, Step, Transcript } from "./transcripts.ts";

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
  readonly #port: number;
  readonly #sockets = new Map<string, RawWebSocket>();
  /** Records of a frame that are not compared yet: servers may join or split. */
  readonly #records = new Map<string, WireRecord[]>();
  readonly #placeholders = new Placeholders();
  #response: RawResponse | undefined;
  #lateItems = false;

  constructor(port: number) {
    this.#port = port;
  }

  /** Runs `steps` of a transcript. */
  async run({ name, note, protocol }: Transcript, steps: readonly Step[]): Promise<void> {
    // A cancelled stream may send a little more before it ends.
    this.#lateItems = /cancel/.test(name);
    const numbered = /each numbered socket|every other case closes/.test(note);
    for (const { setup, send, receive } of steps) {
      if (setup !== undefined) await this.#setUp(setup, protocol);
      const label = (send ?? receive)?.label ?? "";
      if (numbered && send !== undefined && label !== "") {
        this.#sockets.set(label, await RawWebSocket.connect(this.#port, "/detailed", protocol));
      }
      if (send !== undefined) await this.#send(send, label);
      if (receive === undefined) continue;
      await this.#receive(receive, label);
      if (numbered && label !== "" && this.#endsIn(receive)) {
        await this.#receiveClose({ closeCode: 1000, reason: "" }, label);
      }
    }
    // Nothing must be left over.
    for (const [label, records] of this.#records) assertEquals(records, [], label);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets.values()) socket[Symbol.dispose]();
  }

  async #setUp(setup: string, protocol: string): Promise<void> {
    const [, posted, names] = /^POST (\S+) gave (.*)$/.exec(setup) ?? [];
    if (posted !== undefined && names !== undefined) {
      const { body } = await rawFetch(this.#port, { method: "POST", path: posted });
      return this.#placeholders.take(names, body);
    }
    const [, path, label = ""] =
      /^WebSocket to (\S+), handshake .* answered \{\}(?:; called (.*))?$/.exec(setup) ?? [];
    if (path === undefined) throw new Error(`Cannot replay setup: ${setup}`);
    this.#placeholders.forget(SERVER_INVOCATION);
    this.#sockets.get(label)?.[Symbol.dispose]();
    const identified = await this.#identified(path, label);
    this.#sockets.set(label, await RawWebSocket.connect(this.#port, identified, protocol));
  }

  /** A socket that is called by a letter is asked about by its connection id: negotiates to know it. */
  async #identified(path: string, label: string): Promise<string> {
    if (!/^[A-Z]$/.test(label)) return this.#placeholders.fill(path);
    const { body } = await rawFetch(this.#port, { method: "POST", path: `${path}/negotiate` });
    const { connectionId } = JSON.parse(body);
    this.#placeholders.set(`{connectionId${label}}`, connectionId);
    return `${path}?id=${connectionId}`;
  }

  async #send(step: SendStep, label: string): Promise<void> {
    const path = this.#placeholders.fill(step.path ?? "");
    if (step.upgrade !== undefined) {
      const { response, socket } = await RawWebSocket.request(this.#port, path, step.headers);
      this.#response = response;
      if (socket !== undefined) this.#sockets.set(label, socket);
    } else if (step.method !== undefined) {
      const { method, headers, body } = step;
      this.#response = await rawFetch(this.#port, { method, path, headers, body });
    } else if (step.opcode === Opcode.Close) {
      await this.#socket(label).sendClose(step.closeCode, step.reason);
    } else {
      const payload = step.hex === undefined
        ? new TextEncoder().encode(this.#placeholders.fill(step.text ?? ""))
        : unhex(step.hex);
      await this.#socket(label).send(step.opcode ?? Opcode.Text, payload);
    }
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
      let actual = await this.#record(label);
      while (this.#mayPrecede(actual, record)) actual = await this.#record(label);
      assertEquals(actual, this.#captured(record, actual));
      // Members are in upstream's order too.
      assertEquals(Object.keys(actual), Object.keys(record));
    }
  }

  /** How many pings, or late items, come before something else is a matter of timing. */
  #mayPrecede(actual: WireRecord, expected: WireRecord): boolean {
    if (typeOf(actual) === 6) return typeOf(expected) !== 6;
    return this.#lateItems && typeOf(actual) === 2 && typeOf(expected) === 3;
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
  }

  async #record(label: string): Promise<WireRecord> {
    const waiting = this.#records.get(label) ?? [];
    if (waiting.length === 0) waiting.push(...frameRecords(await this.#socket(label).receive()));
    this.#records.set(label, waiting);
    const record = waiting.shift();
    if (record === undefined) throw new Error("Unexpected frame: it is empty");
    return record;
  }

  #socket(label: string): RawWebSocket {
    const socket = this.#sockets.get(label);
    if (socket === undefined) throw new Error(`Cannot find socket: ${label}`);
    return socket;
  }

  /** `expected` with the id that the server has chosen for its question. */
  #captured(expected: WireRecord, actual: WireRecord): WireRecord {
    if (!("invocationId" in expected) || expected.invocationId !== SERVER_INVOCATION) {
      return expected;
    }
    const { invocationId } = actual as { invocationId?: unknown };
    assert(typeof invocationId === "string" && invocationId !== "", String(invocationId));
    this.#placeholders.set(SERVER_INVOCATION, invocationId);
    return { ...expected, invocationId };
  }
}
