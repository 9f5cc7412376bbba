import { assert, assertEquals } from "@std/assert";
import { HubPeer } from "./hub_peer.ts";
import { bytesOf, type Kind } from "./kinds.ts";
import { MAXIMUM_MESSAGE_BYTES, Prediction } from "./prediction.ts";
import { type Answer, frameOf, joined, type ProtocolName } from "./wire_format.ts";

/** What is sent in one go, and what it is in a failure's text. */
export interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly bytes: Uint8Array;
}

/** What became of cases. */
export interface Tally {
  cases: number;
  /** Those after which the connection went on. */
  survived: number;
  /** Those that were answered with a Close message with an error. */
  refused: number;
  /** Those that the server took for a Close message. */
  left: number;
}

/** After so many cases a connection is replaced, so that leftovers do not pile up. */
const CASES_PER_CONNECTION = 100;

/**
 * Sends cases to a hub over as few connections as possible: one serves until a case ends it. Whatever
 * happens must be what the model of the same bytes says, and documented.
 */
export class CaseRunner implements AsyncDisposable {
  readonly tally: Tally = { cases: 0, survived: 0, refused: 0, left: 0 };
  readonly #port: number;
  readonly #protocol: ProtocolName;
  #peer: HubPeer | undefined;
  #prediction: Prediction;
  #served = 0;

  constructor(port: number, protocol: ProtocolName) {
    this.#port = port;
    this.#protocol = protocol;
    this.#prediction = new Prediction(protocol);
  }

  /** Runs a case; fails with its bytes if it comes out differently. */
  async run(tried: Case): Promise<void> {
    const { stateful = false } = tried.kind;
    if (stateful || this.#served >= CASES_PER_CONNECTION) await this.#leave();
    this.#prediction = this.#peer === undefined
      ? new Prediction(this.#protocol, stateful)
      : this.#prediction;
    this.#peer ??= await HubPeer.open(this.#port, this.#protocol, { stateful });
    this.#served++;
    this.#prediction.hub.answers.clear();
    const bytes = this.#complete(tried);
    try {
      await this.#peer.send(bytes);
      await this.#compare(this.#peer);
    } catch (error) {
      throw new Error(`${this.#protocol}, ${tried.name}: ${printed(bytes)}`, { cause: error });
    }
    this.tally.cases++;
    if (stateful) await this.#leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  /** The bytes of a case with what surrounds it, and as much more as makes its outcome visible. */
  #complete({ kind, bytes }: Case): Uint8Array<ArrayBuffer> {
    const mark = frameOf(this.#protocol, {
      type: 1,
      invocationId: "mark",
      target: "inspect",
      arguments: ["mark"],
    });
    // What was cut off or lengthened may swallow the first message behind it.
    const parts = [
      bytesOf(this.#protocol, kind.before),
      bytes,
      mark,
      bytesOf(this.#protocol, kind.after),
      mark,
    ];
    for (const part of parts) this.#prediction.add(part);
    const settled = this.#prediction.hub.closed !== undefined ||
      this.#prediction.whole && this.#prediction.hub.answers.has("mark");
    if (settled) return joined(...parts);
    // It waits for more: whatever follows must end it, be it as too large or as malformed.
    const padding = new Uint8Array(MAXIMUM_MESSAGE_BYTES + 1);
    this.#prediction.add(padding);
    assert(this.#prediction.hub.closed !== undefined, "the case has no end");
    return joined(...parts, padding);
  }

  async #compare(peer: HubPeer): Promise<void> {
    const { answers, closed } = this.#prediction.hub;
    const count = answers.values().reduce((sum, { length }) => sum + length, 0);
    const received = new Map<string, Answer[]>();
    const more = async () => {
      const answer = await peer.next();
      if (answer === undefined) return false;
      const id = answer.invocationId ?? "";
      received.set(id, [...received.get(id) ?? [], answer]);
      return true;
    };
    if (closed === undefined) {
      for (let left = count; left > 0 && await more(); left--);
      assertEquals(peer.end, undefined, "the connection has ended");
      assertEquals(received, answers);
      this.tally.survived++;
      return;
    }
    while (await more());
    assertEquals(peer.end, { close: closed, code: 1000 });
    // What was under way may be answered or not.
    for (const [id, sent] of received) assertEquals(answers.get(id)?.slice(0, sent.length), sent);
    peer[Symbol.dispose]();
    this.#peer = undefined;
    this.#served = 0;
    if (closed.error === undefined) this.tally.left++;
    else this.tally.refused++;
    if (closed.error !== undefined) assertDocumented(closed.error);
  }

  async #leave(): Promise<void> {
    await this.#peer?.leave();
    this.#peer = undefined;
    this.#served = 0;
  }
}

/** What a client may read about a message that breaks the rules; `specs/signalr-wire.md §6 and §8`. */
const DOCUMENTED = [
  /^InvalidDataException: Missing required property '(type|target|arguments|invocationId|item|sequenceId)'\.$/,
  /^InvalidDataException: Expected '\w+' to be of type (String|Number|Array|StartObject)\.$/s,
  /^InvalidDataException: Expected header '.*' to be of type String\.$/s,
  /^InvalidDataException: The 'error' and 'result' properties are mutually exclusive\.$/,
  /^InvalidDataException: (Null value for 'streamIds' is not valid|Error reading JSON)\.$/,
  /^InvalidDataException: Unexpected JSON Token Type '\w+'\. Expected a JSON Object\.$/,
  /^InvalidDataException: Expected 'allowReconnect' to be true or false\.$/,
  /^FormatException: Either the JSON value is not in a supported format, or is out of bounds for an Int(32|64)\.$/,
  /^InvalidDataException: Sequence ID greater than amount of messages we've received\.$/,
  /^InvalidDataException: Null or empty (invocation ID|target) for \w+ message\.$/,
  /^InvalidDataException: Null or empty (key|value) in header\.$/,
  /^InvalidDataException: Null or empty value in streamIds received\.$/,
  /^InvalidDataException: Reading '[\w[\].]+' as (String|Int32|Int64|Boolean) failed\.$/,
  /^InvalidDataException: Reading (map|array) length for '(headers|streamIds)' failed\.$/,
  /^InvalidDataException: Invalid invocation result kind\.$/,
  /^InvalidDataException: The maximum message size of 32768B was exceeded\. The message size can be configured in AddHubOptions\.$/,
  /^FormatException: Messages over 2GB in size are not supported\.$/,
  /^EndOfStreamException: Attempted to read past the end of the stream\.$/,
  /^MessagePackSerializationException: /,
];

function assertDocumented(error: string): void {
  const [, detail = ""] = /^Connection closed with an error\. (.*)$/s.exec(error) ?? [];
  assert(DOCUMENTED.some((pattern) => pattern.test(detail)), `undocumented: ${error}`);
}

function printed(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, 400);
  const hex = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${JSON.stringify(new TextDecoder().decode(shown))} (${hex})`;
}
