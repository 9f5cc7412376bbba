/**
 * The server's reading of messages beside the second reading that is the oracle of the tests against
 * nodes: here there are no sockets, so that everything can be tried.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import type { HubMessage } from "../../../hub/protocol/messages.ts";
import { UnreadableValue } from "../../../hub/protocol/pack/values.ts";
import type { HubProtocol } from "../../../hub/protocol/protocol.ts";
import { described } from "./described.ts";
import { figure } from "./figures.ts";
import { type Heard, Offence, UNREADABLE } from "./heard.ts";
import { JSON_ROWS } from "./json_rows.ts";
import { KINDS } from "./kinds.ts";
import { MESSAGEPACK_ROWS } from "./messagepack_rows.ts";
import { corruptions, replacements, truncations } from "./mutations.ts";
import { Hearing } from "./prediction.ts";
import { bounded, fc } from "./runs.ts";
import { frameOf, joined, PROTOCOL_NAMES, type ProtocolName } from "../../kit/wire_format.ts";

const PROTOCOLS: Readonly<Record<ProtocolName, HubProtocol>> = {
  json: jsonProtocol,
  messagepack: messagepackProtocol,
};
const LIMIT = 32_768;

/** Everything that comes of bytes, as text: messages, and how it ends. */
function readByServer(protocol: ProtocolName, bytes: Uint8Array): string {
  const { parse, reader } = PROTOCOLS[protocol];
  const records = reader(LIMIT);
  const read: string[] = [];
  try {
    records.push(bytes.slice());
    for (let record; (record = records.read()) !== undefined;) {
      read.push(asText(contentOf(parse(record))));
    }
    read.push(records.bufferedBytes === 0 ? "whole" : "more is wanted");
  } catch (error) {
    assert(error instanceof Error);
    read.push(`${error.name}: ${error.message}`);
  }
  return read.join("\n");
}

function readByRules(protocol: ProtocolName, bytes: Uint8Array): string {
  const hearing = new Hearing(protocol, LIMIT);
  const read: string[] = [];
  try {
    hearing.add(bytes);
    for (let heard; (heard = hearing.next()) !== undefined;) read.push(asText(heard.message));
    read.push(hearing.whole ? "whole" : "more is wanted");
  } catch (error) {
    if (!(error instanceof Offence)) throw error;
    read.push(`${error.name}: ${error.message}`);
  }
  return read.join("\n");
}

function contentOf(message: HubMessage | undefined): Heard | undefined {
  if (message === undefined) return undefined;
  const { record: _, bindingError, ...rest } = message as HubMessage & {
    record?: unknown;
    bindingError?: Error;
  };
  return { ...rest, ...bindingError !== undefined && { bindingError: bindingError.message } };
}

/** Members in one order, values as what they are. */
function asText(message: Heard | undefined): string {
  if (message === undefined) return "skipped";
  const members = Object.entries(message).map(([name, value]) => {
    const unreadable = value === UNREADABLE || value instanceof UnreadableValue;
    return `${name}=${unreadable ? "unreadable" : described(value)}`;
  });
  return members.sort().join(" ");
}

function compare(protocol: ProtocolName, bytes: Uint8Array, what: string): void {
  const read = readByServer(protocol, bytes);
  const expected = readByRules(protocol, bytes);
  if (read !== expected) assertEquals(read, expected, `${protocol}, ${what}`);
}

for (const protocol of PROTOCOL_NAMES) {
  Deno.test(`${protocol}: every truncation, every single byte changed to every other and every member replaced read by the rules`, () => {
    let tried = 0;
    for (const kind of KINDS) {
      for (const mutate of [truncations, corruptions, replacements]) {
        for (const { name, bytes } of mutate(protocol, kind)) {
          compare(protocol, bytes, name);
          tried++;
        }
      }
    }
    figure(`${tried} mutations in ${protocol}, without sockets`);
  });

  Deno.test(`${protocol}: odd values read by the rules, and so do all of their beginnings`, () => {
    for (const { name, bytes } of protocol === "json" ? JSON_ROWS : MESSAGEPACK_ROWS) {
      compare(protocol, bytes, name);
      for (let length = 0; length < Math.min(bytes.length, 300); length++) {
        compare(protocol, bytes.subarray(0, length), `${name}, cut after ${length}`);
      }
    }
  });

  Deno.test(`${protocol}: bytes that are changed, taken out, put in and mixed read by the rules`, () => {
    const frames = KINDS.map(({ message }) => frameOf(protocol, message));
    const property = fc.property(
      fc.constantFrom(...frames),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(...frames),
      (frame, edits, behind) => {
        const edited = edits.reduce((bytes, change) => change(bytes), frame as Uint8Array);
        compare(protocol, joined(edited, behind), "edited");
      },
    );
    fc.assert(property, bounded(20_000));
  });
}

type Edit = (bytes: Uint8Array) => Uint8Array;

const place = fc.double({ min: 0, max: 1, noNaN: true });
const some = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 4 }),
  fc.constantFrom(
    ...["null", '"type":', "{}", "[]", ',"error":""', "1e9", "-", "\\ud800", "\ufeff", "\u{1f600}"]
      .map((text) => new TextEncoder().encode(text)),
  ),
);

/** Replaces a few bytes somewhere with others; often the framing still fits. */
const edit: fc.Arbitrary<Edit> = fc.record({ place, some, removed: fc.nat(4), fit: fc.boolean() })
  .map(({ place, some, removed, fit }) => (bytes) => {
    const at = Math.floor(place * bytes.length);
    const rest = bytes.subarray(at + (fit ? some.length : removed));
    return joined(bytes.subarray(0, at), some, rest);
  });
