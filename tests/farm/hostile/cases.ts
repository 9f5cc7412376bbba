import { assert, assertEquals } from "@std/assert";
import { HubPeer } from "../../kit/hub_peer.ts";
import { bytesOf, type Kind } from "./kinds.ts";
import { MAXIMUM_MESSAGE_BYTES, Prediction } from "./prediction.ts";
import type { ReferenceHub } from "./reference_hub.ts";
import { type Answer, frameOf, joined, type ProtocolName } from "../../kit/wire_format.ts";

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
 * Sends cases to a hub. Those that must end their connection have one each, opened and used in one
 * piece; the others follow one another on as few as possible. Whatever happens must be what the rules
 * say of the same bytes, and documented.
 */
export class CaseRunner implements AsyncDisposable {
  readonly tally: Tally = { cases: 0, survived: 0, refused: 0, left: 0 };
  readonly #port: number;
  readonly #protocol: ProtocolName;
  #peer: HubPeer | undefined;
  /** Of what was sent to {@link #peer}. */
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
    const alone = new Prediction(this.#protocol, stateful);
    const bytes = this.#complete(tried, alone);
    try {
      if (stateful || alone.hub.closed !== undefined) await this.#runAlone(bytes, stateful, alone);
      else await this.#runWithOthers(bytes);
    } catch (error) {
      throw new Error(`${this.#protocol}, ${tried.name}: ${printed(bytes)}`, { cause: error });
    }
    this.tally.cases++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  /** On a connection of its own. */
  async #runAlone(first: Uint8Array, stateful: boolean, { hub }: Prediction): Promise<void> {
    using peer = await HubPeer.open(this.#port, this.#protocol, { stateful, first });
    await this.#compare(peer, hub);
    if (hub.closed === undefined) await peer.leave();
  }

  async #runWithOthers(bytes: Uint8Array): Promise<void> {
    if (this.#served >= CASES_PER_CONNECTION) await this.#leave();
    if (this.#peer === undefined) this.#prediction = new Prediction(this.#protocol);
    this.#peer ??= await HubPeer.open(this.#port, this.#protocol);
    this.#served++;
    const { hub } = this.#prediction;
    hub.answers.clear();
    this.#prediction.add(bytes);
    await this.#peer.send(bytes);
    await this.#compare(this.#peer, hub);
    if (hub.closed !== undefined) this.#forget();
  }

  /** The bytes of a case with what surrounds it, and as much more as makes its outcome visible. */
  #complete({ kind, bytes }: Case, prediction: Prediction): Uint8Array<ArrayBuffer> {
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
    const { hub } = prediction;
    for (const part of parts) prediction.add(part);
    if (hub.closed !== undefined || prediction.whole && hub.answers.has("mark")) {
      return joined(...parts);
    }
    // It waits for more: whatever follows must end it, be it as too large or as malformed.
    const padding = new Uint8Array(MAXIMUM_MESSAGE_BYTES + 1);
    prediction.add(padding);
    assert(hub.closed !== undefined, "the case has no end");
    return joined(...parts, padding);
  }

  async #compare(peer: HubPeer, { answers, closed }: ReferenceHub): Promise<void> {
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
    if (closed.error === undefined) this.tally.left++;
    else this.tally.refused++;
    if (closed.error !== undefined) assertDocumented(closed.error);
  }

  async #leave(): Promise<void> {
    await this.#peer?.leave();
    this.#forget();
  }

  #forget(): void {
    this.#peer?.[Symbol.dispose]();
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
  /^InvalidDataException: The maximum message size of 32768B was exceeded\. The message size can be configured with maximumReceiveMessageSize\.$/,
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
